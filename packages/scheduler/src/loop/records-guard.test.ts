import type { Assignment } from "@skep/core/model/assignment.ts";
import { decodeFetchReply, encodeFetch } from "@skep/api/codec/assignment.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emptyRecords } from "../store/memory-records.ts";
import { raised } from "../store/memory/raise.ts";
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
    rig.database.restore(backup);
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

  it("are found out where they have counted past what the agents hold", async () => {
    const { nodes } = rig.database.records;
    for (const entry of nodes.values())
      entry.node = raised(raised({ ...entry.node, assignmentRevision: 0, assignmentStamps: [] }));
    expect(agents.every(one => one.assignment!.revision < 2)).toBe(true);
    await rig.clock.advance(3_000);
    expect(rig.database.records.platform.unrecovered?.because).toContain("never gave");
    expect(running()).toBe(3);
  });

  it.each([0, 99])("are found out where the database is empty, with a lease of term %i", async term => {
    await stop();
    rig.database.restore({ ...emptyRecords(), lease: { holder: "", term, expiresAt: 0, placements: 0 } });
    await start();
    await rig.clock.advance(120_000);
    expect(rig.database.records.platform.unrecovered?.because).toContain("this database is");
    expect(running()).toBe(3);
    expect(kinds()).not.toContain("stranger.removed");
  });

  it.each([
    ["are found out by reports alone, while no agent beats", ["node-1"], true],
    ["end nothing of nodes without a journal where another one's report is not admitted", ["node-1", "node-3"], false],
  ])("%s", async (_, lost, isFoundOut) => {
    await stop();
    for (const agent of agents) {
      agent.beating = false;
      if (!lost.includes(agent.nodeId)) continue;
      agent.assignment = undefined;
      for (const [key, status] of agent.running)
        agent.strangers.set(key, { status, tenantId: "acme", deploymentId: "acme.web", release: 1 });
      agent.running.clear();
    }
    rig.database.restore({ ...emptyRecords(), lease: { holder: "", term: 0, expiresAt: 0, placements: 0 } });
    await start();
    await rig.clock.advance(30_000);
    expect(kinds()).not.toContain("stranger.removed");
    expect(running()).toBe(3);
    expect(rig.database.records.platform.unrecovered !== undefined).toBe(isFoundOut);
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

describe("a stolen agent", () => {
  /** Says in its beats, and with `reports` in its reports, that it works by more than there is. */
  async function claims(over: Partial<Assignment>): Promise<FakeAgent> {
    const thief = agents[0]!;
    thief.assignment = { ...thief.assignment!, ...over };
    await rig.clock.advance(10_000);
    return thief;
  }

  const grow = (replicas: number) => {
    const store = rig.database.connect("user");
    return through(store.changeDeployment("acme.web", { replicas }, undefined, someone, rig.clock.now()));
  };

  it.each([{ term: 99 }, { revision: 99 }, { incarnation: "inc_elsewhere", term: 99 }])(
    "freezes nobody by claiming %o: it gets no work, and people are told once",
    async over => {
      await claims(over);
      await rig.clock.advance(60_000);
      expect(rig.database.records.platform.unrecovered).toBeUndefined();
      const kind = over.incarnation === undefined ? "node.unproven" : "node.foreign";
      expect(rig.database.records.decisions.filter(one => one.decision.kind === kind)).toMatchObject([
        { decision: { nodeId: "node-1" } },
      ]);
      await grow(9);
      const placed = [...rig.database.records.locations.values()].map(one => one.nodeId);
      expect(placed).toHaveLength(9);
      expect(placed.filter(one => one === "node-1")).toHaveLength(1);
    },
  );

  it("is believed nothing until it works by what there is, and named by the status", async () => {
    const { assignment } = agents[0]!;
    const thief = await claims({ term: 99 });
    expect(scheduler?.api.unproven()).toEqual(["node-1"]);
    const status = [...thief.running.values()][0]!;
    thief.running.set(`${status.instanceId} 1`, { ...status, message: "a lie" });
    await through(thief.report(false));
    const told = (): string[] => [...rig.database.records.locations.values()].map(one => one.message);
    expect(told()).not.toContain("a lie");
    thief.assignment = assignment;
    await rig.clock.advance(5_000);
    expect(scheduler?.api.unproven()).toEqual([]);
    await through(thief.report(true));
    expect(told()).toContain("a lie");
  });

  it("is told nothing when it asks by what it claims", async () => {
    const honest = agents[0]!.assignment!;
    await claims({ term: 99 });
    const ask = (term: number) => {
      const { nodeId, incarnation, revision } = honest;
      const question = encodeFetch({ nodeId, sessionId: "session-1", incarnation, term, revision });
      const answer = rig.network.connect("asker").request(nodeSubject("fetch", nodeId), question, { timeoutMs: 500 });
      return through(
        answer.then(
          bytes => (decodeFetchReply(bytes), "answered"),
          () => "silence",
        ),
      );
    };
    expect([await ask(99), await ask(honest.term)]).toEqual(["silence", "answered"]);
  });

  it("is found out by a report as well, before anything on its node is removed", async () => {
    const thief = agents[0]!;
    const [status] = thief.running.values();
    const stranger = { ...status!, instanceId: "acme.web.99" };
    thief.strangers.set("acme.web.99 1", {
      ...{ status: stranger, tenantId: "acme", deploymentId: "acme.web", release: 1 },
    });
    thief.assignment = { ...thief.assignment!, term: 99 };
    await through(thief.report(true));
    await rig.clock.advance(60_000);
    expect(rig.database.records.platform.unrecovered).toBeUndefined();
    expect(kinds()).not.toContain("stranger.removed");
  });
});

describe("the key of the receipts", () => {
  it("stands in no log, no decision and no message", async () => {
    const { platform, decisions } = rig.database.records;
    const text = JSON.stringify([rig.lines, decisions, agents.map(one => one.assigned)]);
    expect(agents[0]!.assignment?.receipt).toMatch(/^[\w-]{43}$/);
    expect(text).not.toContain(platform.receiptKey);
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
