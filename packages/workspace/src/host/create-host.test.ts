import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Scheduler } from "@skep/scheduler/create-scheduler.ts";
import { createHostFleet, type FleetHost, type HostFleet } from "./testing/fleet.ts";

let fleet: HostFleet;
let schedulers: Scheduler[];
let hosts: FleetHost[];

/** One scheduler, and hosts of these names. */
async function begin(...names: readonly string[]): Promise<readonly FleetHost[]> {
  schedulers.push(fleet.scheduler("s1"));
  await fleet.pass(50);
  hosts = names.map(name => fleet.host(name));
  return hosts;
}

/** The host that reads a workspace, and the first of the others. */
function ownerOf(id: string): readonly [FleetHost, FleetHost] {
  const reads = (one: FleetHost): boolean => one.containers.reading().some(what => what.startsWith(`${id}@`));
  return [hosts.find(reads)!, hosts.find(one => !reads(one))!];
}

beforeEach(async () => {
  fleet = await createHostFleet();
  schedulers = [];
  hosts = [];
});
afterEach(async () => {
  const closing = Promise.all([...hosts.map(one => one.host.stop(0)), ...schedulers.map(one => one.stop())]);
  await fleet.pass(20_000);
  await closing;
});

describe("a host", () => {
  it("runs what it is given and reads it", async () => {
    await begin("a");
    await fleet.create("fleet");
    expect(await fleet.pass(5_000)).toEqual([]);
    expect(fleet.reading()).toEqual(["a fleet@1"]);
    expect(await fleet.store.locateWorkspaces(["fleet"])).toMatchObject(
      new Map([["fleet", { state: "running", isHealthy: true, nodeId: "node-a" }]]),
    );
  });

  it("that dies is followed by another one, and reads nothing when it comes back", async () => {
    await begin("a", "b");
    await fleet.create("fleet");
    await fleet.pass(5_000);
    const [dead, other] = ownerOf("fleet");
    dead.way.isCut = true;
    expect(await fleet.pass(5_500)).toEqual([]);
    expect(other.containers.reading()).toEqual(["fleet@2"]);
    dead.way.isCut = false;
    expect(await fleet.pass(10_000)).toEqual([]);
    expect(other.containers.reading()).toEqual(["fleet@2"]);
    expect(dead.containers.all.every(one => one.isClosed)).toBe(true);
    expect((await fleet.store.loadHosting()).hosts).toHaveLength(2);
  });

  it("stops reading by itself within two seconds without an answer, and goes on with the next one", async () => {
    const [a] = await begin("a");
    await fleet.create("fleet");
    await fleet.pass(5_000);
    a!.way.losesAnswers = true;
    await fleet.pass(2_000);
    expect(fleet.reading()).toEqual([]);
    expect(a!.containers.all[0]!.isClosed).toBe(false);
    a!.way.losesAnswers = false;
    await fleet.pass(1_000);
    expect(fleet.reading()).toEqual(["a fleet@1"]);
  });

  it("counts from when it asked, however late the answer comes", async () => {
    const [a] = await begin("a");
    await fleet.create("fleet");
    await fleet.pass(5_000);
    a!.way.answersMs = 500;
    await fleet.pass(2_000);
    expect(fleet.reading()).toEqual(["a fleet@1"]);
    a!.way.losesAnswers = true;
    // The latest answer came at this moment at most, to a report that was sent 0.5 s before.
    await fleet.pass(1_550);
    expect(fleet.reading()).toEqual([]);
  });

  it("attaches again where its stream brings nothing though there is something to be told", async () => {
    const [a] = await begin("a");
    await fleet.pass(5_000);
    a!.way.isStill = true;
    await fleet.create("fleet");
    await fleet.pass(500);
    a!.way.isStill = false;
    expect(fleet.reading()).toEqual([]);
    await fleet.pass(4_000);
    expect(fleet.reading()).toEqual(["a fleet@1"]);
  });

  it("goes on where one answer is lost", async () => {
    const [a] = await begin("a");
    await fleet.create("fleet");
    await fleet.pass(5_000);
    for (let round = 0; round < 5; round++) {
      a!.way.losesAnswers = true;
      await fleet.pass(500);
      a!.way.losesAnswers = false;
      for (let step = 0; step < 50; step++) {
        await fleet.pass(50);
        expect(fleet.reading()).toEqual(["a fleet@1"]);
      }
    }
  });

  it("whose answers are all lost reads nothing, and is followed only when its reports cease too", async () => {
    await begin("a", "b");
    await fleet.create("fleet");
    await fleet.pass(5_000);
    const [owner, other] = ownerOf("fleet");
    owner.way.losesAnswers = true;
    expect(await fleet.pass(10_000)).toEqual([]);
    expect(fleet.reading()).toEqual([]);
    owner.way.isCut = true;
    expect(await fleet.pass(6_000)).toEqual([]);
    expect(other.containers.reading()).toEqual(["fleet@2"]);
    expect([owner.host.isHeard(), other.host.isHeard()]).toEqual([false, true]);
  });

  it("that is told to end gives everything away first, and is followed at once", async () => {
    await begin("a", "b");
    await fleet.create("fleet");
    await fleet.pass(5_000);
    const [owner, other] = ownerOf("fleet");
    owner.containers.closeMs = 300;
    const stopping = owner.host.stop(6_000);
    expect(await fleet.pass(1_500)).toEqual([]);
    expect(other.containers.reading()).toEqual(["fleet@2"]);
    await fleet.pass(500);
    await stopping;
    expect(owner.host.statuses()).toEqual([]);
  });

  it("says what keeps a workspace from beginning, and tries until it can", async () => {
    const [a] = await begin("a");
    a!.containers.failure = "the broker refuses us";
    await fleet.create("fleet");
    await fleet.pass(8_000);
    const located = (): Promise<unknown> => fleet.store.locateWorkspaces(["fleet"]).then(all => all.get("fleet"));
    expect(await located()).toMatchObject({ state: "assigned", isHealthy: false, lastError: "the broker refuses us" });
    a!.containers.failure = "";
    await fleet.pass(10_000);
    expect(await located()).toMatchObject({ state: "running", lastError: "" });
  });

  it("takes changes in place, and begins anew where a restart was asked for", async () => {
    const [a] = await begin("a");
    await fleet.create("fleet");
    await fleet.pass(5_000);
    const someone = { actor: "someone", idempotencyKey: undefined };
    const change = (what: Parameters<typeof fleet.store.changeWorkspace>[1]) =>
      fleet.store.changeWorkspace("fleet", what, undefined, someone, 0);
    await change({ databasePool: 33 });
    await fleet.pass(3_000);
    expect(a!.containers.all).toMatchObject([{ updates: 1, isClosed: false }]);
    await change({ restart: true });
    await fleet.pass(3_000);
    expect(a!.containers.all).toMatchObject([{ isClosed: true }, { isClosed: false }]);
    expect(fleet.reading()).toEqual(["a fleet@1"]);
    await change({ desired: "stopped" });
    await fleet.pass(3_000);
    expect(fleet.reading()).toEqual([]);
    expect(a!.host.statuses()).toEqual([]);
    await change({ desired: "run" });
    await fleet.pass(3_000);
    expect(fleet.reading()).toEqual(["a fleet@2"]);
  });

  it("is given away by a leader that cannot be followed by another one in the same moment", async () => {
    await begin("a", "b");
    schedulers.push(fleet.scheduler("s2"));
    await fleet.create("fleet");
    await fleet.pass(5_000);
    const before = fleet.reading();
    fleet.rig.database.cut("s1");
    expect(await fleet.pass(15_000)).toEqual([]);
    fleet.rig.database.heal("s1");
    expect(await fleet.pass(10_000)).toEqual([]);
    expect(fleet.reading()).toEqual(before);
  });

  it("lets go of everything and begins anew where the records do not know it any more", async () => {
    const [a] = await begin("a");
    await fleet.create("fleet");
    await fleet.pass(5_000);
    const { workspaceHosts, workspaceLocations } = fleet.rig.database.records;
    workspaceLocations.clear();
    workspaceHosts.clear();
    expect(await fleet.pass(10_000)).toEqual([]);
    expect(a!.containers.all.map(one => one.isClosed)).toEqual([true, false]);
    expect(fleet.reading()).toEqual(["a fleet@2"]);
  });

  it("begins anew where a failover has lost that it let go of something", async () => {
    const [a] = await begin("a");
    await fleet.create("fleet");
    await fleet.pass(5_000);
    const copy = structuredClone({ ...fleet.rig.database.records });
    // What it is told is lost, and the answers to its reports are not.
    a!.way.isStill = true;
    const { workspaceHosts, workspaceLocations } = fleet.rig.database.records;
    workspaceLocations.clear();
    const [host] = [...workspaceHosts.values()];
    workspaceHosts.set(host!.id, { ...host!, revision: host!.revision + 1 });
    await fleet.pass(1_500);
    expect(fleet.reading()).toEqual([]);
    fleet.rig.database.restore(copy);
    a!.way.isStill = false;
    await fleet.pass(10_000);
    expect(fleet.reading()).toEqual(["a fleet@2"]);
  });
});
