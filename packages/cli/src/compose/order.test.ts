import { describe, expect, it } from "vitest";
import { compose, noted, refusals, web } from "../testing/compose.ts";

const PROBE = "healthcheck: { test: [CMD, 'true'] }";

function specs(text: string) {
  const { deployments, issues } = compose(text);
  expect(issues).toEqual([]);
  return deployments;
}

function spec(...lines: readonly string[]) {
  return specs(web(...lines))[0]!;
}

describe("depends_on", () => {
  const three = (web: string, db = PROBE): string =>
    `services:\n  web: { image: a, depends_on: ${web} }\n  db: { image: b, ${db} }\n  job: { image: c }\n`;
  const waits = (text: string) => {
    const [first, second] = specs(text);
    return first!.dependsOn.map(({ name, condition, required }) => [name === second!.name, condition, required]);
  };

  it("names deployments, each with what is waited for", () => {
    expect(waits(three("[db]"))).toEqual([[true, "started", true]]);
    expect(waits(three("{ db: }"))).toEqual([[true, "started", true]]);
    expect(waits(three("{ db: { condition: service_healthy, required: false } }"))).toEqual([[true, "healthy", false]]);
    expect(waits(three("{ job: { condition: service_completed_successfully } }"))).toEqual([
      [false, "completed", true],
    ]);
    expect(noted(three("[db]"))).toEqual([]);
  });

  it("notes what is waited for in another way than Compose does", () => {
    expect(noted(three("{ db: { condition: service_healthy } }", "command: x"))).toEqual([
      expect.stringMatching(/^c\.yaml:2:34: .*`db` has no `healthcheck`: it counts as healthy once it runs/),
    ]);
    expect(noted(three("{ db: { condition: service_started, restart: true } }"))).toEqual([
      expect.stringContaining("`restart` has no effect"),
    ]);
  });

  it("refuses to wait for the end of what never ends", () => {
    const file = (restart: string): string =>
      `services:\n  web: { image: a, depends_on: { job: { condition: service_completed_successfully } } }\n  job: { image: b, restart: ${restart} }\n`;
    expect(refusals(file("always"))).toEqual([
      expect.stringMatching(/^c\.yaml:2:34: .*`job` is always started again, so it never completes/),
    ]);
    for (const restart of ["'no'", "on-failure", "on-failure:3"]) expect(refusals(file(restart))).toEqual([]);
  });

  it("is what the whole pod waits for, once and by what asks the most, and nothing within it", () => {
    const [pod, db] = specs(
      [
        "services:",
        "  web: { image: a, depends_on: [db] }",
        "  side: { image: a, network_mode: 'service:web', depends_on: { db: { condition: service_healthy }, web: } }",
        `  db: { image: b, ${PROBE} }`,
      ].join("\n"),
    );
    expect(pod!.dependsOn).toEqual([{ name: db!.name, condition: "healthy", required: true }]);
    const intoPod = `services:\n  web: { image: a }\n  side: { image: a, network_mode: 'service:web' }\n  db: { image: b, depends_on: [side] }\n`;
    const [host, , other] = [...specs(intoPod), undefined];
    expect(other).toBeUndefined();
    expect(specs(intoPod)[1]!.dependsOn.map(one => one.name)).toEqual([host!.name]);
  });

  it("names services of the project, and none twice round, by way of a pod neither", () => {
    expect(refusals(three("[no]"))).toEqual([expect.stringMatching(/^c\.yaml:2:33: .*no service is called `no`/)]);
    expect(refusals(three("{ no: { condition: service_started, required: false } }"))).toEqual([]);
    expect(refusals(three("{ db: { condition: ready } }"))).toEqual([
      expect.stringContaining("`ready` is not known here"),
    ]);
    const round =
      "services:\n  a: { image: a, depends_on: [b] }\n  b: { image: a, depends_on: [c] }\n  c: { image: a, depends_on: [b] }\n";
    expect(refusals(round)).toEqual([expect.stringMatching(/^c\.yaml:4:31: .*wait for each other: b → c → b/)]);
    const byPod =
      "services:\n  a: { image: a, depends_on: [c] }\n  b: { image: a, network_mode: 'service:a' }\n  c: { image: a, depends_on: [b] }\n";
    expect(refusals(byPod)).toEqual([expect.stringMatching(/^c\.yaml:4:31: .*wait for each other: a → c → a/)]);
  });
});

describe("restart", () => {
  it.each([
    ["command: x", "on-failure", undefined],
    ["restart: 'no'", "none", undefined],
    ["restart: always", "any", undefined],
    ["restart: unless-stopped", "any", undefined],
    ["restart: on-failure", "on-failure", undefined],
    ["restart: on-failure:3", "on-failure", 3],
    ["deploy: { restart_policy: { delay: 1s } }", "any", undefined],
    ["deploy: { restart_policy: { condition: on-failure, max_attempts: 2 } }", "on-failure", 2],
    ["deploy: { restart_policy: { condition: none } }", "none", undefined],
  ] as const)("as Compose and Swarm mean it: %s", (line, condition, maxAttempts) => {
    expect(spec(line).restart).toMatchObject({ condition, maxAttempts });
  });
});

describe("a job", () => {
  it("has as many completions as replicas, some at once, and is tried again where it fails", () => {
    const job = spec("deploy: { mode: replicated-job, replicas: 5 }", "x-skep: { maxConcurrent: 2 }");
    expect(job).toMatchObject({ mode: "replicated-job", replicas: 5, job: { maxConcurrent: 2 } });
    expect(job.restart.condition).toBe("on-failure");
    expect(spec("deploy: { mode: replicated-job, restart_policy: { delay: 1s } }").restart.condition).toBe(
      "on-failure",
    );
    expect(spec("x-skep: { maxConcurrent: 0 }", "deploy: { mode: replicated-job }").job).toEqual({});
  });

  it("is never started again after it ended well, and nothing else has a bound of its own", () => {
    expect(refusals(web("restart: always", "deploy: { mode: replicated-job }"))).toEqual([
      expect.stringMatching(/^c\.yaml:4:\d+: .*a job that has ended well is not started again/),
    ]);
    expect(refusals(web("x-skep: { maxConcurrent: 2 }"))).toEqual([
      expect.stringMatching(/^c\.yaml:4:\d+: .*a replicated deployment is no job/),
    ]);
  });
});

describe("mode: global", () => {
  it("is one on each node that fits, a job's too, and has no number of replicas", () => {
    expect(spec("deploy: { mode: global }")).toMatchObject({ mode: "global", replicas: 1 });
    const job = spec("deploy: { mode: global-job, placement: { constraints: ['node.role == worker'] } }");
    expect(job).toMatchObject({ mode: "global-job", restart: { condition: "on-failure" } });
    expect(refusals(web("deploy: { mode: global, replicas: 3 }"))).toEqual([
      expect.stringMatching(/^c\.yaml:4:\d+: .*runs once on each node that fits, and 3 replicas are wanted/),
    ]);
    expect(refusals(web("deploy: { mode: global }", "x-skep: { exclusive: true }"))).toHaveLength(1);
  });

  it("mounts no volume yet, since a volume belongs to one node", () => {
    const text = `${web("deploy: { mode: global }", "volumes: [d:/d]")}volumes: { d: }\n`;
    expect(refusals(text)).toEqual([
      expect.stringMatching(/^c\.yaml:5:\d+: .*a volume belongs to one node\. Use a tmpfs/),
    ]);
  });
});
