import { aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emptyRecords, type Records } from "../store/memory-records.ts";
import type { FakeAgent } from "../testing/fake-agent.ts";
import { createRig, type Rig } from "../testing/rig.ts";
import type { Scheduler } from "../create-scheduler.ts";

const someone = { actor: "someone", idempotencyKey: undefined };
let rig: Rig;
let agents: FakeAgent[];
let scheduler: Scheduler | undefined;

/** Lets a promise end that needs virtual time. */
async function through<T>(promise: Promise<T>): Promise<T> {
  await rig.clock.advance(5_000);
  return promise;
}

async function start(): Promise<void> {
  scheduler = rig.scheduler("s1");
  scheduler.start();
  await rig.clock.advance(6_000);
}

async function stop(): Promise<void> {
  const stopping = scheduler?.stop();
  await rig.clock.advance(10_000);
  await stopping;
  scheduler = undefined;
}

/** Puts other tables in place of the present ones, as a restore does. */
function replaceRecords(by: Records): void {
  const { records } = rig.database;
  for (const key of Object.keys(records) as (keyof Records)[]) {
    const [mine, theirs] = [records[key] as unknown, by[key] as unknown];
    if (mine instanceof Map) {
      mine.clear();
      for (const [id, one] of theirs as Map<unknown, unknown>) mine.set(id, one);
    } else if (Array.isArray(mine)) mine.splice(0, mine.length, ...(theirs as unknown[]));
    else Object.assign(records, { [key]: theirs });
  }
}

const kinds = (): string[] => rig.database.records.decisions.map(one => one.decision.kind);
const running = (): number => agents.reduce((sum, one) => sum + one.running.size + one.strangers.size, 0);

beforeEach(async () => {
  rig = createRig();
  agents = [1, 2, 3].map(number => rig.agent(`node-${number}`));
  for (const agent of agents) void agent.start();
  await start();
  const store = rig.database.connect("user");
  await store.createTenant(aTenant(), someone);
  await through(store.createDeployment("acme", aSpec({ replicas: 3 }), [], someone, rig.clock.now()));
  expect(running()).toBe(3);
});
afterEach(stop);

describe("records that are not the fleet's", () => {
  it("are found out where the database is an older copy: nothing is decided or removed, by no later leader", async () => {
    const backup = structuredClone(rig.database.records);
    for (let change = 0; change < 3; change++) {
      await stop();
      await start();
    }
    await stop();
    replaceRecords(backup);
    await start();
    expect(rig.database.records.platform.unrecovered?.because).toContain("the records know");
    expect(kinds().filter(kind => kind === "platform.unrecovered")).toHaveLength(1);
    const store = rig.database.connect("user");
    await through(store.changeDeployment("acme.web", { replicas: 5 }, undefined, someone, rig.clock.now()));
    await stop();
    await start();
    await rig.clock.advance(60_000);
    expect(kinds().filter(kind => kind === "platform.unrecovered")).toHaveLength(1);
    expect([rig.database.records.instances.size, running()]).toEqual([3, 3]);
  });

  it("are found out where only revisions went back, without a change of leaders", async () => {
    const { nodes } = rig.database.records;
    for (const entry of nodes.values()) entry.node = { ...entry.node, assignmentRevision: 0 };
    await rig.clock.advance(3_000);
    expect(rig.database.records.platform.unrecovered?.because).toContain("revision");
  });

  it.each([0, 99])("are found out where the database is empty, with a lease of term %i", async term => {
    await stop();
    replaceRecords({ ...emptyRecords(), lease: { holder: "", term, expiresAt: 0, placements: 0 } });
    await start();
    await rig.clock.advance(120_000);
    expect(rig.database.records.platform.unrecovered?.because).toContain("this database is");
    expect(running()).toBe(3);
    expect(kinds()).not.toContain("stranger.removed");
  });

  it("are not blamed on them by a leader whose term is over", async () => {
    const { records } = rig.database;
    records.lease = { ...records.lease!, holder: "somebody", term: records.lease!.term + 5, expiresAt: Infinity };
    for (const agent of agents) agent.assignment = { ...agent.assignment!, term: records.lease.term };
    await rig.clock.advance(10_000);
    expect(records.platform.unrecovered).toBeUndefined();
  });

  it("are one node's trouble alone where only that comes from elsewhere", async () => {
    const stray = rig.agent("node-4");
    stray.assignment = { ...agents[0]!.assignment!, nodeId: "node-4", incarnation: "inc_elsewhere", instances: [] };
    void stray.start();
    await rig.clock.advance(10_000);
    expect(kinds()).toContain("node.foreign");
    expect(rig.database.records.platform.unrecovered).toBeUndefined();
    const store = rig.database.connect("user");
    await through(store.changeDeployment("acme.web", { replicas: 8 }, undefined, someone, rig.clock.now()));
    expect(running()).toBe(8);
    expect([...rig.database.records.locations.values()].map(one => one.nodeId)).not.toContain("node-4");
    expect(stray.refused).not.toBe("");
    expect(scheduler?.api.refusals()).toMatchObject([{ nodeId: "node-4" }]);
  });
});

describe("a scheduler that has just started", () => {
  it("decides nothing before it has listened", async () => {
    await stop();
    const store = rig.database.connect("user");
    await store.changeDeployment("acme.web", { replicas: 4 }, undefined, someone, rig.clock.now());
    scheduler = rig.scheduler("s1");
    scheduler.start();
    await rig.clock.advance(1_900);
    expect(rig.database.records.instances.size).toBe(3);
    await rig.clock.advance(2_000);
    expect(rig.database.records.instances.size).toBe(4);
  });
});
