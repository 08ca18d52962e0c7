import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { aTenant } from "@skep/core/testing/builders.ts";
import type { HostedStatus } from "@skep/core/workspace/host-report.ts";
import { MIGRATION_TIMES } from "@skep/core/workspace/migration.ts";
import type { MigrationStage } from "@skep/core/workspace/migration-state.ts";
import type { MoveFacts, MoveOrder } from "@skep/core/workspace/move.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Scheduler } from "../create-scheduler.ts";
import type { Store } from "../store/store.ts";
import { aHostReport } from "../store/testing/hosts.ts";
import { createRig, type Rig } from "../testing/rig.ts";
import { HOLD_MS } from "./host-watch.ts";

const someone = { actor: "someone", idempotencyKey: undefined };
const OWNERS = { host_a: undefined, host_own: "fleet" } as const;
type HostName = keyof typeof OWNERS;

let rig: Rig;
let store: Store;
let scheduler: Scheduler;
let seq: number;
let alive: Set<HostName>;
/** What the hosts say in a step, beside what leads on. */
let says: (order: MoveOrder) => Partial<MoveFacts>;
/** Serials of gates, by what they were told. */
let isGateBehind: boolean;
let isGateSilent: boolean;
let readers: string[];

const nothing = { count: 0, first: [] };
function factsOf(order: MoveOrder): MoveFacts {
  const comparison = { from: 0, until: 1, compared: 3, missing: { source: nothing, target: nothing } };
  return {
    ...{
      step: order.step,
      isReady: true,
      isSubscribed: true,
      copied: 3,
      total: 3,
      isCopied: true,
      isBoth: order.storesBoth,
    },
    ...{ lacking: 0, quietMs: 5_000, fault: "", waiting: "" },
    ...(order.compare === undefined ? {} : { comparison }),
    ...says(order),
  };
}

/** What a host that does at once as it is told says of itself. */
async function report(hostId: HostName): Promise<readonly string[]> {
  const assignment = await store.loadHostAssignment(hostId);
  const workspaces = (assignment?.workspaces ?? []).map((one): HostedStatus => ({
    ...{ workspaceId: one.id, epoch: one.epoch, isHealthy: true, counts: {}, lastError: "" },
    state: one.desired === "run" ? "running" : "stopped",
    ...(one.move === undefined ? {} : { move: factsOf(one.move) }),
  }));
  const told = { hostId, workspaceId: OWNERS[hostId], address: hostId, eventsPort: 7_704, seq: ++seq, workspaces };
  const { answer } = await store.saveHostReport(aHostReport(told), HOLD_MS, rig.clock.now());
  return answer.granted.length > 0 ? [hostId] : [];
}

async function reportGate(): Promise<void> {
  const [broker] = await store.locateBrokers(["fleet"], rig.clock.now());
  const serial = isGateBehind ? 0 : (broker?.serial ?? 0);
  const places = [{ workspaceId: "fleet", serial, connections: 4 }];
  await store.saveGateReport({ gateId: "gate_a", seq: ++seq, places }, rig.clock.now());
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    const granted: string[] = [];
    for (const hostId of alive) granted.push(...(await report(hostId)));
    expect(granted.length).toBeLessThan(2);
    const reader = granted[0] ?? "nobody";
    if (readers.at(-1) !== reader) readers.push(reader);
    if (!isGateSilent) await reportGate();
    await rig.clock.advance(500);
  }
}

const stage = async (): Promise<MigrationStage | undefined> => (await store.getMove("fleet"))?.move.stage;
const side = async (): Promise<string | undefined> => (await store.locateBrokers(["fleet"], rig.clock.now()))[0]?.side;
const said = (kind: string): readonly string[] =>
  rig.database.records.decisions.flatMap(({ decision }) => (decision.kind === kind ? [decision.sentence] : []));

async function passUntil(wanted: MigrationStage): Promise<void> {
  for (let round = 0; round < 200 && (await stage()) !== wanted; round++) await pass(500);
  expect(await stage()).toBe(wanted);
}

beforeEach(async () => {
  rig = createRig();
  store = rig.database.connect("test");
  [seq, readers, isGateBehind, isGateSilent, says] = [0, [], false, false, () => ({})];
  alive = new Set(["host_a", "host_own"]);
  await store.createTenant(aTenant(), someone);
  scheduler = rig.scheduler("s1", true);
  scheduler.start();
  const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "least-loaded" } as const;
  await store.createWorkspace({ ...wanted, connector: aConnector({ id: "fleet" }) }, someone, rig.clock.now());
  await pass(6_000);
});
afterEach(() => scheduler.stop());

const move = (to: "shared" | "standalone") => store.startMove("fleet", to, someone, rig.clock.now());

describe("the hosting loop", () => {
  it("moves a workspace there and back, with one reader at most, and says each stage", async () => {
    await move("standalone");
    await passUntil("verify");
    expect(await side()).toBe("own");
    await passUntil("done");
    await pass(2_000);
    expect((await store.getWorkspace("fleet"))?.connector.config.resources.type).toBe("standalone");
    expect((await store.loadHosting()).locations.map(one => one.hostId)).toEqual(["host_own"]);
    await move("shared");
    await passUntil("done");
    await pass(2_000);
    expect(readers).toEqual(["nobody", "host_a", "nobody", "host_own", "nobody", "host_a"]);
    expect(await side()).toBe("shared");
    expect(said("workspace.moving")[0]).toBe(
      "Workspace fleet moves to standalone, and goes from prepare to copy: the target is ready.",
    );
    expect(said("workspace.moved")).toHaveLength(2);
    expect((await store.loadHosting()).locations.map(one => [one.hostId, one.role])).toEqual([["host_a", undefined]]);
  });

  it("waits for a gate that has devices at the broker before", async () => {
    isGateBehind = true;
    await move("standalone");
    await passUntil("switch");
    await pass(60_000);
    expect(await stage()).toBe("switch");
    isGateBehind = false;
    await passUntil("drain");
  });

  it("goes past a gate that has died without a word", async () => {
    isGateBehind = true;
    await move("standalone");
    await passUntil("switch");
    isGateSilent = true;
    await pass(MIGRATION_TIMES.gateSilentMs - 2_000);
    expect(await stage()).toBe("switch");
    await pass(3_000);
    expect(await stage()).not.toBe("switch");
  });

  it("goes back where something differs, and names it", async () => {
    const missing = { source: nothing, target: { count: 1, first: ["m7"] } };
    says = ({ compare }) => (compare === undefined ? {} : { comparison: { from: 0, until: 1, compared: 3, missing } });
    await move("standalone");
    await passUntil("returned");
    await pass(2_000);
    expect(said("workspace.returned")).toEqual([
      "Workspace fleet stays shared: of 3 messages the target lacks 1, such as m7.",
    ]);
    expect(readers).toEqual(["nobody", "host_a"]);
    expect((await store.loadHosting()).locations.map(one => one.hostId)).toEqual(["host_a"]);
  });

  it("goes back by the target where somebody wants it so after the cut-over", async () => {
    await move("standalone");
    await passUntil("verify");
    await store.abortMove("fleet", someone, rig.clock.now());
    await passUntil("returned");
    await pass(2_000);
    expect(await side()).toBe("shared");
    expect(readers).toEqual(["nobody", "host_a", "nobody", "host_own", "nobody", "host_a"]);
    expect((await store.getMove("fleet"))?.move.because).toBe("the source reads again: someone wants it back");
  });

  it("goes back where the target is lost while each message is to be stored there", async () => {
    says = ({ compare }) => (compare === undefined ? {} : ({ comparison: undefined } as object));
    await move("standalone");
    await passUntil("compare");
    alive.delete("host_own");
    await pass(40_000);
    expect(await stage()).toBe("returned");
    expect(readers).toEqual(["nobody", "host_a"]);
  });

  it("is done without the source where that is lost for good", async () => {
    await move("standalone");
    await passUntil("verify");
    await pass(2_000);
    alive.delete("host_a");
    says = () => ({ comparison: undefined }) as object;
    await pass(40_000);
    expect(await stage()).toBe("done");
    expect(readers.at(-1)).toBe("host_own");
  });
});
