import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { aTenant } from "@skep/core/testing/builders.ts";
import type { HostReport } from "@skep/core/workspace/host-report.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emptyRecords } from "../store/memory-records.ts";
import type { Store } from "../store/store.ts";
import { aHostedStatus, aHostReport } from "../store/testing/hosts.ts";
import { createRig, type Rig } from "../testing/rig.ts";
import type { Scheduler } from "../create-scheduler.ts";
import { DOWN_AFTER_MS, HOLD_MS } from "./host-watch.ts";

const someone = { actor: "someone", idempotencyKey: undefined };

let rig: Rig;
let store: Store;
let scheduler: Scheduler;
let seq: number;
/** Hosts that report each second. */
let living: Map<string, Partial<HostReport>>;

const report = (hostId: string, over: Partial<HostReport> = {}) =>
  store.saveHostReport(aHostReport({ hostId, seq: ++seq, ...over }), HOLD_MS, rig.clock.now());
const create = (id: string) =>
  store.createWorkspace(
    { tenantId: "acme", connector: aConnector({ id }), purpose: aPurpose(), strategy: "least-loaded" },
    ...([someone, rig.clock.now()] as const),
  );
const where = async (): Promise<readonly string[]> =>
  (await store.loadHosting()).locations.map(one => `${one.workspaceId} ${one.hostId} ${one.epoch} ${one.desired}`);
const said = (kind: string): readonly string[] =>
  rig.database.records.decisions.flatMap(({ decision }) => (decision.kind === kind ? [decision.sentence] : []));

/** Lets time pass while the living hosts report. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    for (const [hostId, over] of living) await report(hostId, over);
    await rig.clock.advance(Math.min(500, left));
  }
}

beforeEach(async () => {
  rig = createRig();
  store = rig.database.connect("test");
  seq = 0;
  living = new Map([["host_a", {}]]);
  await store.createTenant(aTenant(), someone);
  scheduler = rig.scheduler("s1", true);
  scheduler.start();
  await rig.clock.advance(10);
});
afterEach(() => scheduler.stop());

describe("the hosting loop", () => {
  it("gives a workspace a host and says so, once it has listened for as long as a lease lasts", async () => {
    await create("fleet");
    await pass(DOWN_AFTER_MS - 100);
    expect(await where()).toEqual([]);
    await pass(1_000);
    expect(await where()).toEqual(["fleet host_a 1 run"]);
    expect(said("workspace.placed")).toEqual([
      expect.stringContaining("Workspace fleet goes to host host_a: least loaded"),
    ]);
    expect(rig.lines.filter(line => line.event === "workspace.placed")).toHaveLength(1);
    const { decision } = rig.database.records.decisions.find(one => one.decision.kind === "workspace.placed")!;
    expect(decision).toMatchObject({ tenantId: "acme", nodeId: "node-1", epoch: 1 });
    scheduler.api.wake("a workspace was made");
    await create("other");
    scheduler.api.wake("a workspace was made");
    await rig.clock.advance(100);
    expect(await where()).toEqual(["fleet host_a 1 run", "other host_a 1 run"]);
  });

  it("sets a workspace aside whose records make deciding fail, says so once, and goes on with the others", async () => {
    await create("bad");
    await store.startMove("bad", "standalone", someone, rig.clock.now());
    const move = rig.database.records.workspaceMoves.get("bad")!;
    const since = {
      get: () => {
        throw new Error("not a time");
      },
    };
    rig.database.records.workspaceMoves.set("bad", Object.defineProperty({ ...move }, "since", since));
    await create("fleet");
    await pass(DOWN_AFTER_MS + 3_000);
    expect(await where()).toEqual(["fleet host_a 1 run"]);
    expect(said("workspace.aside")).toEqual([
      "Nothing is decided of workspace bad, which stays as it is: its records make that fail (not a time).",
    ]);
    expect(rig.lines.filter(line => line.event === "workspace.aside")).toHaveLength(1);
    rig.database.records.workspaceMoves.set("bad", move);
    await pass(2_000);
    expect((await where()).map(one => one.split(" ")[0])).toContain("bad");
    expect(said("workspace.resumed")).toEqual(["It is decided of workspace bad again."]);
  });

  it("says what a workspace waits for, and does nothing where nothing is to do", async () => {
    living.clear();
    await create("fleet");
    await pass(5_000);
    expect((await store.getWorkspace("fleet"))?.waiting).toContain("no shared host has reported yet");
    expect(said("workspace.waiting")).toHaveLength(1);
    await pass(5_000);
    expect(said("workspace.waiting")).toHaveLength(1);
  });

  it("gives a dead host's workspaces to another one, after the dead one surely reads nothing", async () => {
    await create("fleet");
    await pass(5_000);
    living = new Map([["host_b", {}]]);
    await pass(DOWN_AFTER_MS - 600);
    expect(await where()).toEqual(["fleet host_a 1 run"]);
    await pass(2_000);
    expect(await where()).toEqual(["fleet host_b 2 run"]);
    expect(said("host.down")).toEqual(["Host host_a is silent: it reads no messages any more."]);
    expect((await store.loadHosting()).hosts.map(one => one.id)).toEqual(["host_b"]);
    const late = await report("host_a", { applied: { incarnation: "inc_1", term: 1, revision: 1 } });
    expect(late.answer).toMatchObject({ granted: [], anew: "the records do not know host host_a" });
  });

  it.each([50, 200, 350, 450])("follows it soon after its last lease, given %i ms after the others", async ms => {
    await create("fleet");
    await pass(5_000);
    living = new Map([["host_b", {}]]);
    await report("host_b");
    await rig.clock.advance(ms);
    await report("host_a");
    const from = rig.clock.now();
    while (!(await where()).includes("fleet host_b 2 run")) {
      await report("host_b");
      await rig.clock.advance(50);
    }
    expect(rig.clock.now() - from).toBeLessThanOrEqual(DOWN_AFTER_MS + 200);
    expect(rig.clock.now() - from).toBeGreaterThanOrEqual(DOWN_AFTER_MS);
  });

  it("asks for leases often only where there is a host", async () => {
    const asked: string[] = [];
    rig.database.setPolicy((_, call) => (asked.push(call), { delayMs: 0, lost: "no" }));
    living.clear();
    await rig.clock.advance(2_000);
    expect(asked).not.toContain("countHostLeases");
    await report("host_a");
    await rig.clock.advance(2_000);
    expect(asked.filter(call => call === "countHostLeases").length).toBeGreaterThan(10);
  });

  it("waits for a host that is to let go until it has", async () => {
    await create("fleet");
    await pass(5_000);
    living.set("host_b", {}).set("host_a", { availability: "drain", workspaces: [aHostedStatus()] });
    await pass(2_000);
    expect(await where()).toEqual(["fleet host_a 1 stop"]);
    living.set("host_a", { availability: "drain", workspaces: [aHostedStatus({ state: "stopped" })] });
    await pass(2_000);
    expect(await where()).toEqual(["fleet host_b 2 run"]);
    expect(said("workspace.stopping")).toEqual(["Workspace fleet is to leave host host_a: host host_a is drained."]);
  });

  it("deletes the record of a deleted workspace once no host has it", async () => {
    await create("fleet");
    await pass(5_000);
    await store.changeWorkspace("fleet", { desired: "deleted" }, undefined, someone, rig.clock.now());
    living.set("host_a", { workspaces: [aHostedStatus()] });
    await pass(2_000);
    expect(await store.getWorkspace("fleet")).toBeDefined();
    living.set("host_a", { workspaces: [aHostedStatus({ state: "stopped" })] });
    await pass(2_000);
    expect(await store.getWorkspace("fleet")).toBeUndefined();
    expect(said("workspace.gone")).toHaveLength(1);
  });

  it("moves nothing while no host is heard", async () => {
    living.set("host_b", {});
    for (const id of ["one", "two"]) await create(id);
    await pass(5_000);
    const before = await where();
    living.clear();
    await pass(20_000);
    expect(await where()).toEqual(before);
    living.set("host_a", {}).set("host_b", {});
    await pass(5_000);
    expect(await where()).toEqual(before);
  });

  it("decides nothing on records that are not the fleet's", async () => {
    await create("fleet");
    const { platform } = rig.database.records;
    rig.database.records.platform = { ...platform, unrecovered: { because: "they are older", at: 0 } };
    await pass(20_000);
    expect(await where()).toEqual([]);
  });

  it("places nothing anew before the leases of a newer database have ended", async () => {
    await create("fleet");
    await pass(5_000);
    const older = emptyRecords(rig.database.records.platform.incarnation);
    for (const [id, one] of rig.database.records.tenants) older.tenants.set(id, one);
    await scheduler.stop();
    rig.database.restore(older);
    await create("fleet");
    living = new Map([["host_b", {}]]);
    scheduler = rig.scheduler("s1", true);
    scheduler.start();
    await pass(HOLD_MS);
    expect(await where()).toEqual([]);
    await pass(5_000);
    expect(await where()).toEqual(["fleet host_b 1 run"]);
  });

  it("places nothing that the records have lost before the leases by it have ended", async () => {
    await pass(5_000);
    await create("fleet");
    const copy = structuredClone({ ...rig.database.records });
    await pass(1_000);
    expect(await where()).toEqual(["fleet host_a 1 run"]);
    rig.database.restore(copy);
    await pass(HOLD_MS);
    expect(await where()).toEqual([]);
    await pass(DOWN_AFTER_MS);
    expect(await where()).toEqual(["fleet host_a 1 run"]);
    await pass(5_000);
    expect(rig.lines.filter(line => line.event === "hosting.lost")).toHaveLength(1);
  });

  it("has the data of a dropped workspace removed, by another host where the first one dies meanwhile", async () => {
    living.set("host_b", {});
    await create("fleet");
    await pass(6_000);
    const [first = "", second = ""] = (await where())[0]!.includes("host_a")
      ? ["host_a", "host_b"]
      : ["host_b", "host_a"];
    living.set(first, { workspaces: [aHostedStatus()] });
    await pass(1_000);
    await store.changeWorkspace("fleet", { desired: "deleted", data: "remove" }, undefined, someone, rig.clock.now());
    await pass(2_000);
    expect(await where()).toEqual([`fleet ${first} 1 run`]);
    living.delete(first);
    await pass(8_000);
    expect(await where()).toEqual([`fleet ${second} 2 run`]);
    living.set(second, { workspaces: [aHostedStatus({ epoch: 2, counts: { "data.removed": 1 } })] });
    await pass(6_000);
    expect(await where()).toEqual([`fleet ${second} 2 stop`]);
    living.set(second, { workspaces: [aHostedStatus({ epoch: 2, state: "stopped" })] });
    await pass(2_000);
    expect([await where(), await store.getWorkspace("fleet")]).toEqual([[], undefined]);
  });
});
