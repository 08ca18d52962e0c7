import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { platformHandlers } from "../api/platform.ts";
import type { Scheduler } from "../create-scheduler.ts";
import type { FakeAgent } from "../testing/fake-agent.ts";
import { createRig, type Rig } from "../testing/rig.ts";

let rig: Rig;
let schedulers: Scheduler[];
let first: FakeAgent;

beforeEach(async () => {
  rig = createRig();
  schedulers = ["s1", "s2"].map(name => rig.scheduler(name));
  for (const one of schedulers) one.start();
  first = rig.agent("node-1", "first");
  void first.start();
  await rig.clock.advance(10_000);
});
afterEach(async () => {
  await Promise.all(schedulers.map(one => one.stop()));
});

const alarms = (): readonly string[] =>
  rig.database.records.decisions.filter(one => one.decision.kind === "node.cloned").map(one => one.decision.sentence);

async function warnings(scheduler: Scheduler | undefined): Promise<string> {
  const answer = await platformHandlers(scheduler!.api).getStatus({} as never, {} as never);
  return (answer.warnings ?? []).join("\n");
}

describe("two agents with one node's id", () => {
  it("are said once: as a decision, in the leader's log, and by every replica's status", async () => {
    void rig.agent("node-1", "second").start();
    await rig.clock.advance(20_000);
    expect(alarms()).toHaveLength(1);
    expect(alarms()[0]).toMatch(/node-1.*session first.*counts, session second is refused.*docker swarm leave/);
    expect(rig.lines.filter(line => line.event === "node.cloned").map(line => line.level)).toEqual(["error"]);
    for (const one of schedulers) expect(await warnings(one)).toContain("session second is refused");
  });

  it("do not speak for each other, and the later is taken once the first has ended", async () => {
    const liveness = (): string | undefined => rig.database.records.nodes.get("node-1")?.node.liveness;
    void rig.agent("node-1", "second").start();
    await rig.clock.advance(20_000);
    expect(liveness()).toBe("ready");
    first.stop();
    await rig.clock.advance(15_000);
    expect(liveness()).not.toBe("ready");
    await rig.clock.advance(25_000);
    expect(liveness()).toBe("ready");
    expect(await warnings(schedulers[0])).not.toContain("Two agents");
  });

  it("are not seen in an agent that starts anew, and its reports count", async () => {
    const old = rig.agent("node-2", "first");
    void old.start();
    await rig.clock.advance(5_000);
    old.stop();
    void rig.agent("node-2", "second").start();
    await rig.clock.advance(20_000);
    expect(alarms()).toEqual([]);
    expect(rig.lines.filter(line => line.event === "node.cloned")).toEqual([]);
    expect(await warnings(schedulers[0])).not.toContain("Two agents");
    expect(rig.database.records.nodes.get("node-2")?.sessionId).toBe("second");
  });
});
