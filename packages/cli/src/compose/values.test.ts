import { describe, expect, it } from "vitest";
import { compose, notes, refusals } from "../testing/compose.ts";

const web = (rest: string): string => `services:\n  web:\n    image: a\n    ${rest}\n`;

describe("values", () => {
  it.each([
    ...["1234567890123456789", "1.10", "0x1F", "1e3", "0o17", "01777", "1_000", "+1", "-0", ".5", "1.", "007"],
    ...["yes", "no", "on", "off", "y", "Yes", "12:30:45", "190:20:30", "2024-01-01", "2001-12-14t21:59:43.10-05:00"],
    ...[".inf", ".NaN", "1e400", "0b11", "00000000000000000000000000001", "nULL"],
  ])("arrive as %s is written, in a mapping and in a list", written => {
    const text = `services:\n  web:\n    image: a\n    environment: { A: ${written}, B: "${written}", C: !!str ${written} }\n    command: [${written}]\n    labels: ["a=${written}"]\n`;
    expect(compose(text).deployments[0]?.containers[0]).toMatchObject({
      env: { A: written, B: written, C: written },
      command: [written],
      labels: { a: written },
    });
  });

  it("are true, false and nothing in the words of YAML 1.2 alone, also below another version's mark", () => {
    const { deployments } = compose(
      `%YAML 1.1\n---\n${web("environment: { A: True, B: FALSE, C: null, D: ~, E: , F: 'null', G: yes, H: 22:22 }")}`,
      { env: { C: "c" } },
    );
    expect(deployments[0]?.containers[0]?.env).toEqual({
      A: "true",
      B: "false",
      C: "c",
      F: "null",
      G: "yes",
      H: "22:22",
    });
  });

  it.each([
    ["deploy: { replicas: 0x10 }", 16],
    ["deploy: { replicas: 1e3 }", 1000],
    ["deploy: { replicas: 0o17 }", 15],
    ["deploy: { replicas: '7' }", 7],
    ["deploy: { replicas: 3.0 }", 3],
  ])("are numbers where one belongs: %s", (line, replicas) => {
    expect(compose(web(line)).deployments[0]?.replicas).toBe(replicas);
  });

  it.each([
    ["deploy: { replicas: 010 }", "`010` is read as decimal by some and as octal by others"],
    ["deploy: { replicas: 1_000 }", "`1_000` is not a whole number"],
    ["deploy: { replicas: 1.5 }", "`1.5` is not a whole number"],
    ["deploy: { replicas: true }", "`true` is not a whole number"],
    ["deploy: { replicas: 99999999999999999999 }", "is not a whole number from 0 to 10000"],
    ["cpus: 0x2", "`0x2` is not a number of cores"],
    ["cpus: 1e9", "`1e9` cores are out of range"],
    ["ports: [22:22]", "the host port 22 is the machine's"],
  ])("are refused where they are none: %s", (line, words) => {
    expect(refusals(web(line)).join("\n")).toContain(words);
  });

  it("has the older words for true and false where one of them belongs", () => {
    expect(compose(web("read_only: yes")).deployments[0]?.containers[0]?.readOnly).toBe(true);
    expect(compose(web("read_only: Off")).deployments[0]?.containers[0]?.readOnly).toBe(false);
  });

  it("has what stands below `x-` and below no key at all left alone", () => {
    const text =
      "x-a: { b: [1] }\nservices:\n  x-skipped: { image: b }\n  web: { image: a, x-note: 1, deploy: { x-note: 1 } }\n";
    const { deployments, issues } = compose(text);
    expect([issues, deployments.map(({ service }) => service)]).toEqual([[], ["web"]]);
  });

  it("may be anchors of keys, and merges of merges", () => {
    const text = [
      "x-one: &one { A: 1, B: 1 }",
      "x-two: &two { <<: *one, B: 2 }",
      "services:",
      "  web:",
      "    image: &i a",
      "    environment: { <<: [{ C: 3 }, *two], *i : 4 }",
    ].join("\n");
    expect(compose(text).deployments[0]?.containers[0]?.env).toEqual({ A: "1", B: "2", C: "3", a: "4" });
  });

  it("may be merged by the tag that says so, and under a key that only looks like it", () => {
    const text = "x-a: &a { A: 1 }\nservices:\n  web: { image: a, environment: { !!merge <<: *a, '<<': 2 } }\n";
    expect(refusals(text)).toEqual([expect.stringContaining('"<<" is no name of a variable')]);
    expect(compose(text.replace(", '<<': 2", "")).deployments[0]?.containers[0]?.env).toEqual({ A: "1" });
  });

  it("reads the project's name in variables", () => {
    const name = (text: string): unknown => compose(text).deployments[0]?.containers[0]?.env["N"];
    expect(name(`name: My_Project_1\n${web("environment: { N: '$COMPOSE_PROJECT_NAME' }")}`)).toBe("my_project_1");
    expect(notes(web("environment: { N: '$COMPOSE_PROJECT_NAME' }")).join()).not.toContain("not set");
  });
});
