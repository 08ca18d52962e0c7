import { describe, expect, it } from "vitest";
import type { Composed } from "./parse.ts";
import { formatIssue } from "./problems.ts";
import { compose, notes, refusals } from "../testing/compose.ts";

type Container = Composed["deployments"][number]["containers"][number];

/** The service `web` of two files, the second of which changes the first. */
function merged(base: string, over: string): Container {
  const service = (lines: string): string =>
    `services:\n  web:\n    image: nginx\n    ${lines}\nvolumes: { a: , b: , c: }\n`;
  const read = compose({ "one.yaml": service(base), "two.yaml": service(over) });
  expect(read.issues.map(formatIssue)).toEqual([]);
  return read.deployments[0]?.containers[0] as Container;
}

describe("a later file", () => {
  it.each([
    ["replaces a command", "command: [a, b]", "command: c d", { command: ["c", "d"] }],
    ["replaces an entrypoint", "entrypoint: [a, b]", "entrypoint: [c]", { entrypoint: ["c"] }],
    ["keeps what it says nothing of", "user: me", "working_dir: /srv", { user: "me", workingDir: "/srv" }],
    ["keeps what it leaves empty", "user: me", "user:", { user: "me" }],
    [
      "joins variables, list over mapping",
      "environment: { A: 1, B: 2 }",
      "environment: [B=3, C=4]",
      { env: { A: "1", B: "3", C: "4" } },
    ],
    [
      "joins variables, mapping over list",
      "environment: [A=1, B=2=3]",
      "environment: { A: 9 }",
      { env: { A: "9", B: "2=3" } },
    ],
    ["joins labels", "labels: [a=1]", "labels: { b: 2 }", { labels: { a: "1", b: "2" } }],
    [
      "takes the path of a tmpfs for its name",
      "tmpfs: /run",
      "tmpfs: ['/run', '/x']",
      { tmpfs: [{ target: "/run" }, { target: "/x" }] },
    ],
    [
      "replaces the volume at one path, and adds others",
      "volumes: ['a:/one', 'b:/two']",
      "volumes: [{ type: volume, source: c, target: /one }]",
      {
        volumes: [
          { name: "b", target: "/two", readOnly: false },
          { name: "c", target: "/one", readOnly: false },
        ],
      },
    ],
  ])("%s", (_, base, over, expected) => {
    expect(merged(base, over)).toMatchObject(expected);
  });

  it("adds ports, in whatever form, and takes equal ones for one", () => {
    const ports = (base: string, over: string): unknown =>
      merged(`ports: ${base}`, `ports: ${over}`).ports.map(port => [port.containerPort, port.hostPort]);
    expect(ports("['8080:80']", "['8081:81']")).toEqual([
      [80, 8080],
      [81, 8081],
    ]);
    expect(ports("['8080:80']", "['8080:80', { target: 80, published: 8080 }]")).toEqual([[80, 8080]]);
    expect(ports("['8080:80']", "!override ['9090:80']")).toEqual([[80, 9090]]);
  });

  it("says where a port is published twice, and how to leave out the earlier one", () => {
    const service = (port: string): string => `services:\n  web:\n    image: nginx\n    ports: ['${port}']\n`;
    expect(refusals({ "one.yaml": service("8080:80"), "two.yaml": service("9090:80") })).toEqual([
      expect.stringMatching(/^two\.yaml:4:13: .*port 80\/tcp is published at 8080 already\. .*!override/),
    ]);
  });

  it("joins health, limits and placement key by key", () => {
    const health = "healthcheck: { test: [CMD, a, b], interval: 5s, retries: 7 }";
    expect(merged(health, "healthcheck: { test: c, interval: 9s }").health).toMatchObject({
      probe: { test: ["CMD-SHELL", "c"] },
      intervalMs: 9000,
      retries: 7,
    });
    const limits = (memory: string): string => `deploy: { resources: { limits: { ${memory} } } }`;
    expect(merged(limits("memory: 1G, cpus: 2"), limits("memory: 2G")).resources).toMatchObject({
      memoryBytes: 2 * 1024 ** 3,
      cpuMillis: 2000,
    });
  });

  it("removes with `!reset` and replaces with `!override`", () => {
    expect(merged("environment: { A: 1, B: 2 }", "environment: { A: !reset null }").env).toEqual({ B: "2" });
    expect(merged("environment: { A: 1 }", "environment: !override { B: 2 }").env).toEqual({ B: "2" });
    expect(merged("ports: ['80:80']", "ports: !reset []").ports).toEqual([]);
    expect(merged("tmpfs: [/a]", "tmpfs: !override [/b]").tmpfs).toEqual([{ target: "/b" }]);
  });

  it("notes a `!reset` that removes nothing, and drops what it stands at", () => {
    const text =
      "services:\n  web:\n    image: a\n    ports: !reset ['80:80']\n    environment: { A: !reset null, B: x }\n";
    const read = compose(text);
    expect(read.deployments[0]?.containers[0]).toMatchObject({ ports: [], env: { B: "x" } });
    expect(notes(text)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^c\.yaml:4:5: services\.web\.ports: `!reset` finds nothing/),
        expect.stringMatching(/^c\.yaml:5:20: services\.web\.environment\.A: `!reset` finds nothing/),
      ]),
    );
    expect(refusals("services:\n  web: { image: !other a }\n")).toEqual([
      expect.stringMatching(/^c\.yaml:2:24: .*the tag `!other` is not known/),
    ]);
  });

  it("adds services and volumes, and says whose line is wrong", () => {
    const read = compose({
      "one.yaml": "services:\n  web: { image: a }\n",
      "two.yaml": "services:\n  web: { privileged: true }\n  db: { image: b, ports: { a: b } }\n",
    });
    expect(read.deployments.map(({ service }) => service)).toEqual(["web", "db"]);
    expect(read.issues.map(({ file, line }) => `${file}:${line}`)).toEqual(["two.yaml:2", "two.yaml:3"]);
  });

  it("has its faults named after those of the earlier one", () => {
    const read = refusals({
      "one.yaml": "services:\n\n\n  web: { image: a, pid: host, ipc: host }\n",
      "two.yaml": "services:\n  db: { image: b, pid: host }\n",
    });
    expect(read.map(line => line.split(":").slice(0, 2).join(":"))).toEqual(["one.yaml:4", "one.yaml:4", "two.yaml:2"]);
  });

  it("cannot make a list of a mapping", () => {
    expect(
      refusals({
        "one.yaml": "services:\n  web: { image: a, deploy: { replicas: 2 } }\n",
        "two.yaml": "services:\n  web:\n    deploy: [a]\n",
      })[0],
    ).toMatch(/^two\.yaml:3:13: services\.web\.deploy: this is a list, and one\.yaml:2 has a mapping here/);
  });

  it("may stand in the same text, after `---`", () => {
    const read = compose("services:\n  web: { image: a }\n---\nservices:\n  web: { user: me }\n");
    expect(read.deployments[0]?.containers[0]).toMatchObject({ image: "a", user: "me" });
  });
});
