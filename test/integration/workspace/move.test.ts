import type { Mode } from "@skep/core/workspace/connector.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { sendFrom, type MoveDevices } from "../../support/move-devices.ts";
import { MOVING, startMoveRig, type MoveRig } from "../../support/move-rig.ts";

let rig: MoveRig;
beforeAll(async () => {
  rig = await startMoveRig();
}, 120_000);
afterAll(() => rig.close());

/** Of each device the numbers that are stored, in the order in which they were. */
async function storedIn(mode: Mode): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = await rig.databases[mode]
    .collection("messages")
    .find({}, { sort: { $natural: 1 } })
    .toArray();
  const all = found.map(one => [String(one["deviceId"]), (one["value"] as { number: number }).number] as const);
  return new Map([...Map.groupBy(all, one => one[0])].map(([device, some]) => [device, some.map(one => one[1])]));
}

/** Stored is what was acknowledged: each number once. */
async function expectAll(mode: Mode, devices: MoveDevices): Promise<void> {
  await eventually(async () => {
    const stored = await storedIn(mode);
    for (const [device, count] of devices.acknowledged())
      expect([device, stored.get(device)?.toSorted((a, b) => a - b)]).toEqual([
        device,
        Array.from({ length: count }, (_, n) => n + 1),
      ]);
  }, 10_000);
}

/** What was read earlier of a device, it sent earlier. */
async function expectInOrder(mode: Mode): Promise<void> {
  const found = await rig.databases[mode].collection("messages").find({}).sort({ receivedAt: 1 }).toArray();
  const latest = new Map<string, { readonly at: number; readonly most: number; readonly before: number }>();
  for (const one of found) {
    const [device, at] = [String(one["deviceId"]), (one["receivedAt"] as Date).getTime()];
    const { number } = one["value"] as { number: number };
    const known = latest.get(device) ?? { at: 0, most: 0, before: 0 };
    const before = at === known.at ? known.before : known.most;
    expect(number).toBeGreaterThan(before);
    latest.set(device, { at, most: Math.max(known.most, number), before });
  }
}

it("moves a workspace there and back while devices send: nothing is lost or doubled, and order stays", async () => {
  const devices = sendFrom(rig);
  await rig.move("standalone");
  await rig.passed("done", 30_000);
  expect((await rig.store.getWorkspace(MOVING))?.connector.config.resources.type).toBe("standalone");
  await rig.move("shared");
  await rig.passed("done", 30_000);
  await devices.stop();
  await expectAll("shared", devices);
  await expectInOrder("shared");
  for (const [, numbers] of await storedIn("shared")) expect(numbers.length).toBeGreaterThan(100);
}, 60_000);
