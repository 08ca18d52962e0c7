import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { aTenant } from "@skep/core/testing/builders.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Store } from "../store/store.ts";
import { aHostedStatus, aHostReport } from "../store/testing/hosts.ts";
import { createRig, type Rig } from "../testing/rig.ts";
import type { Scheduler } from "../create-scheduler.ts";
import { HOLD_MS } from "./host-watch.ts";

const someone = { actor: "someone", idempotencyKey: undefined };
let rig: Rig;
let store: Store;
let scheduler: Scheduler;
let seq: number;
let messages: number;

/** Lets time pass while the host reports so many messages a second. */
async function pass(seconds: number): Promise<void> {
  const load = { "load.cpuUsage": 1, "load.memoryUsage": 1, "load.connectionCount": 1 };
  for (let second = 0; second < seconds; second += 1) {
    const [located] = (await store.loadHosting()).locations;
    const counts = { ...load, "load.messagesPerSecond": messages };
    const workspaces = located === undefined ? [] : [aHostedStatus({ epoch: located.epoch, counts })];
    await store.saveHostReport(aHostReport({ seq: ++seq, workspaces }), HOLD_MS, rig.clock.now());
    await rig.clock.advance(1_000);
  }
}

const instances = async (): Promise<number | undefined> => (await store.getWorkspace("fleet"))?.instances;
const said = (): readonly string[] =>
  rig.database.records.decisions.flatMap(({ decision }) =>
    decision.kind === "workspace.scaled" ? [decision.sentence] : [],
  );

beforeEach(async () => {
  rig = createRig();
  store = rig.database.connect("test");
  [seq, messages] = [0, 100];
  await store.createTenant(aTenant(), someone);
  const wanted = { connector: aConnector({ id: "fleet" }), purpose: aPurpose(), strategy: "least-loaded" } as const;
  await store.createWorkspace({ tenantId: "acme", ...wanted }, someone, rig.clock.now());
  scheduler = rig.scheduler("s1", true);
  scheduler.start();
  await pass(10);
});
afterEach(() => scheduler.stop());

it("gives a loaded workspace more room, each time after the cooldown, up to the most, and says why", async () => {
  messages = 900;
  await pass(20);
  expect([await instances(), said()]).toEqual([1, []]);
  const scaling = { enabled: true, cooldown: 60, maxInstances: 3, triggers: { messagesPerSecond: 200 } };
  await store.changeWorkspace("fleet", { scaling }, undefined, someone, rig.clock.now());
  await pass(20);
  expect([await instances(), said()]).toEqual([
    2,
    ["Workspace fleet has the room of 2 instead of 1 instances: messages per second and instance is 900, above 200."],
  ]);
  expect((await store.loadHostAssignment("host_a"))?.workspaces).toMatchObject([{ instances: 2 }]);
  await pass(60);
  expect(await instances()).toBe(3);
  await pass(120);
  expect([await instances(), said().length]).toEqual([3, 2]);
});

it("takes it back where fewer carry the load, and not up and down", async () => {
  const scaling = { enabled: true, cooldown: 10, triggers: { messagesPerSecond: 200 } };
  await store.changeWorkspace("fleet", { scaling }, undefined, someone, rig.clock.now());
  messages = 500;
  await pass(60);
  expect(await instances()).toBe(3);
  messages = 350;
  await pass(120);
  expect([await instances(), said().length]).toEqual([3, 2]);
  messages = 10;
  await pass(60);
  expect([await instances(), said().at(-1)]).toEqual([
    1,
    "Workspace fleet has the room of 1 instead of 2 instances: one fewer carries the load.",
  ]);
});

it("does nothing by numbers of a host that is silent", async () => {
  const scaling = { enabled: true, cooldown: 0, triggers: { messagesPerSecond: 200 } };
  messages = 900;
  await pass(5);
  await rig.clock.advance(11_000);
  await store.changeWorkspace("fleet", { scaling }, undefined, someone, rig.clock.now());
  await rig.clock.advance(60_000);
  expect([await instances(), said()]).toEqual([1, []]);
});
