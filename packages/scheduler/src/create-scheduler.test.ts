import { aContainer, aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeAgent } from "./testing/fake-agent.ts";
import { createRig, type Rig } from "./testing/rig.ts";
import type { Scheduler } from "./create-scheduler.ts";

const someone = { actor: "someone", idempotencyKey: undefined };
const web = aSpec({
  replicas: 3,
  containers: [aContainer({ ports: [{ containerPort: 80, protocol: "tcp", hostPort: undefined }] })],
});

let rig: Rig;
let schedulers: Scheduler[];
let agents: FakeAgent[];

beforeEach(async () => {
  rig = createRig();
  schedulers = ["s1", "s2", "s3"].map(name => rig.scheduler(name));
  for (const scheduler of schedulers) scheduler.start();
  await rig.clock.advance(500);
  agents = ["node-1", "node-2", "node-3"].map(nodeId => rig.agent(nodeId));
  for (const agent of agents) void agent.start();
  await rig.clock.advance(3_000);
  await rig.database.connect("test").createTenant(aTenant(), someone);
});
afterEach(() => Promise.all(schedulers.map(scheduler => scheduler.stop())));

const deploy = (spec = web): Promise<unknown> => {
  const { store, wake } = schedulers[0]!.api;
  return store.createDeployment("acme", spec, [], someone, rig.clock.now()).then(() => wake("test"));
};
const running = (): string[] => agents.flatMap(agent => [...agent.running.keys()]).toSorted();
const recorded = (): string[] =>
  [...rig.database.records.locations.values()]
    .filter(one => one.state === "running")
    .map(one => `${one.instanceId} ${one.epoch}`)
    .toSorted();
const leaders = (): Scheduler[] => schedulers.filter(scheduler => scheduler.term() !== undefined);
const kinds = (): string[] => rig.database.records.decisions.map(one => one.decision.kind);
/** The agents' clocks tick by timers, so a sleeping test waits for virtual time only. */
const within = (durationMs: number, done: () => boolean): Promise<boolean> => rig.clock.runUntil(done, durationMs);

describe("three schedulers and three nodes", () => {
  it("agree on one leader and place a deployment within milliseconds of the request", async () => {
    expect(leaders()).toHaveLength(1);
    await deploy();
    expect(await within(100, () => recorded().length === 3)).toBe(true);
    expect(running()).toEqual(["acme.web.1 1", "acme.web.2 1", "acme.web.3 1"]);
    expect(agents.map(agent => agent.running.size)).toEqual([1, 1, 1]);
  });

  it("write again what another wrote over the leader's belief of a node", async () => {
    const { records } = rig.database;
    const entry = records.nodes.get("node-2")!;
    entry.node = { ...entry.node, liveness: "down" };
    expect(await within(3_000, () => records.nodes.get("node-2")?.node.liveness === "ready")).toBe(true);
    expect(kinds().filter(kind => kind === "node.down")).toEqual([]);
  });

  it("go on after the leader died in the middle, and nothing runs twice", async () => {
    await deploy();
    const leader = leaders()[0]!;
    const index = schedulers.indexOf(leader);
    rig.network.crash(`s${index + 1}`);
    rig.database.cut(`s${index + 1}`);
    expect(await within(5_000, () => leaders().some(one => one !== leader))).toBe(true);
    expect(await within(5_000, () => recorded().length === 3)).toBe(true);
    await rig.clock.advance(10_000);
    expect(running()).toEqual(["acme.web.1 1", "acme.web.2 1", "acme.web.3 1"]);
  });

  it("place what a dead node ran elsewhere with a higher epoch, and end the old copy when the node is back", async () => {
    await deploy();
    await within(1_000, () => recorded().length === 3);
    const dead = agents[0]!;
    const lost = [...dead.running.values()].map(one => one.instanceId);
    dead.stop();
    for (const agent of agents) agent.reaches = false;
    expect(await within(12_000, () => kinds().includes("node.down"))).toBe(true);
    expect(await within(2_000, () => recorded().filter(one => one.startsWith(`${lost[0]} 2`)).length === 1)).toBe(true);
    const back = rig.agent("node-1", "session-2");
    for (const [key, status] of dead.running) {
      back.strangers.set(key, { status, tenantId: "acme", deploymentId: "acme.web", release: 1 });
    }
    agents[0] = back;
    void back.start();
    expect(await within(15_000, () => back.strangers.size === 0 && back.running.size === 0)).toBe(true);
    expect(running()).toHaveLength(3);
  });

  it("believe a dead node down though a late beat comes, and ready when it beats again", async () => {
    const dead = agents[0]!;
    dead.stop();
    for (const agent of agents) agent.reaches = false;
    expect(await within(12_000, () => kinds().includes("node.down"))).toBe(true);
    const believed = (): string | undefined => rig.database.records.nodes.get("node-1")?.node.liveness;
    dead.beat();
    expect(await within(5_000, () => believed() !== "down")).toBe(false);
    dead.beat();
    await rig.clock.advance(1_000);
    dead.beat();
    expect(await within(2_000, () => believed() === "ready")).toBe(true);
  });

  it("leave a silent node alone while its peers reach it", async () => {
    await deploy();
    await within(1_000, () => recorded().length === 3);
    agents[0]!.stop();
    await rig.clock.advance(30_000);
    expect(kinds()).toContain("node.suspect");
    expect(kinds()).not.toContain("node.down");
    expect(recorded()).toHaveLength(3);
  });

  it("freeze when more than a third of the nodes is silent at once", async () => {
    await deploy();
    await within(1_000, () => recorded().length === 3);
    for (const agent of agents) agent.reaches = false;
    agents[0]!.stop();
    agents[1]!.stop();
    await rig.clock.advance(30_000);
    expect(kinds()).toContain("fleet.frozen");
    expect(kinds()).not.toContain("node.down");
    expect(schedulers.map(scheduler => scheduler.api.frozen())).toEqual([true, true, true]);
    for (const node of ["node-1", "node-2"]) void rig.agent(node, "back").start();
    expect(await within(15_000, () => kinds().includes("fleet.thawed"))).toBe(true);
    const thawed = (): boolean => schedulers.every(scheduler => !scheduler.api.frozen());
    expect(await within(6_500, thawed)).toBe(true);
  });

  it("believe the leader of today whether it is frozen, not one that died frozen", async () => {
    for (const agent of agents) agent.reaches = false;
    for (const agent of agents.slice(0, 2)) agent.stop();
    await rig.clock.advance(30_000);
    const dead = leaders()[0]!;
    const index = schedulers.indexOf(dead);
    rig.network.crash(`s${index + 1}`);
    rig.database.cut(`s${index + 1}`);
    for (const node of ["node-1", "node-2"]) void rig.agent(node, "back").start();
    const rest = schedulers.filter(one => one !== dead);
    expect(rest.map(one => one.api.frozen())).toEqual([true, true]);
    await within(5_000, () => rest.some(one => one.term() !== undefined));
    expect(await within(12_000, () => rest.every(one => !one.api.frozen()))).toBe(true);
  });

  it("never call nodes down early after a change of leader", async () => {
    for (const agent of agents) agent.reaches = false;
    for (const scheduler of schedulers) await scheduler.stop();
    await rig.clock.advance(60_000);
    schedulers = ["s4"].map(name => rig.scheduler(name));
    agents[0]!.stop();
    schedulers[0]!.start();
    const startedAt = rig.clock.now();
    expect(await within(30_000, () => kinds().includes("node.down"))).toBe(true);
    expect(rig.clock.now() - startedAt).toBeGreaterThanOrEqual(6_000);
  });

  it("converge within 10 s after the database was away for a minute, and answer `unavailable` meanwhile", async () => {
    rig.database.cut();
    await expect(deploy()).rejects.toMatchObject({ code: "unavailable" });
    await rig.clock.advance(60_000);
    const stopped = leaders();
    expect(stopped).toEqual([]);
    rig.database.heal();
    await deploy();
    expect(await within(10_000, () => recorded().length === 3)).toBe(true);
  });

  it("name the loops that fail, and for how long, while the database is away", async () => {
    const failing = (): string[] =>
      schedulers[0]!.loops().flatMap(({ name, failing: why }) => (why === undefined ? [] : [name]));
    expect(failing()).toEqual([]);
    rig.database.cut();
    await rig.clock.advance(10_000);
    expect(failing()).toEqual(["leader", "replicas", "revocations", "routes"]);
    rig.database.heal();
    await rig.clock.advance(10_000);
    expect(failing()).toEqual([]);
  });

  it("converge within 10 s after the bus was away for a minute, without calling anybody down", async () => {
    const names = ["s1", "s2", "s3", "node-1", "node-2", "node-3"];
    for (const name of names) rig.network.cut(name);
    await deploy();
    await rig.clock.advance(60_000);
    for (const name of names) rig.network.heal(name);
    expect(await within(10_000, () => recorded().length === 3)).toBe(true);
    expect(kinds()).not.toContain("node.down");
  });

  it("tell an agent again what it missed", async () => {
    rig.network.setPolicy(({ subject }) => (subject.startsWith("skep.v1.assign") ? [] : [0]));
    await deploy();
    await rig.clock.advance(1_000);
    expect(running()).toEqual([]);
    rig.network.setPolicy(() => [0]);
    expect(await within(5_000, () => recorded().length === 3)).toBe(true);
  });

  it("know of each other", async () => {
    await rig.clock.advance(6_000);
    const seen = schedulers[1]!.api.replicas();
    expect(seen.map(one => one.name)).toEqual(["s1", "s2", "s3"]);
    expect(seen.filter(one => one.leading)).toHaveLength(1);
  });
});

describe("the minute reconcile", () => {
  beforeEach(async () => {
    await deploy();
    await within(1_000, () => recorded().length === 3);
  });

  it("writes a row again that somebody deleted by hand, and the container is not touched", async () => {
    const { locations } = rig.database.records;
    const [key, row] = [...locations][0]!;
    locations.delete(key);
    expect(await within(10_000, () => locations.has(key))).toBe(true);
    expect(locations.get(key)).toMatchObject({ nodeId: row.nodeId, state: "running", containers: row.containers });
    await rig.clock.advance(30_000);
    expect(running()).toEqual(["acme.web.1 1", "acme.web.2 1", "acme.web.3 1"]);
    expect(kinds()).toContain("location.restored");
  });

  it("removes a container that somebody started by hand with our labels, and says so", async () => {
    const agent = agents[1]!;
    const [status] = agent.running.values();
    const stray = { ...status!, instanceId: "acme.stray.7", epoch: 1 };
    agent.strangers.set("acme.stray.7 1", { status: stray, tenantId: "acme", deploymentId: "acme.stray", release: 1 });
    expect(await within(65_000, () => agent.strangers.size === 0)).toBe(true);
    expect(kinds()).toContain("stranger.removed");
    expect(running()).toHaveLength(3);
  });

  it("removes nothing and says so when too much on a node has no record at all", async () => {
    const agent = agents[1]!;
    const [status] = agent.running.values();
    for (let number = 1; number <= 6; number++) {
      const stray = { ...status!, instanceId: `other.app.${number}` };
      agent.strangers.set(`other.app.${number} 1`, {
        status: stray,
        tenantId: "other",
        deploymentId: "other.app",
        release: 1,
      });
    }
    await rig.clock.advance(130_000);
    expect(agent.strangers.size).toBe(6);
    expect(kinds().filter(kind => kind === "strangers.frozen")).toHaveLength(1);
  });
});
