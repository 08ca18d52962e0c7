import type { Mode } from "@skep/core/workspace/connector.ts";
import { expect } from "vitest";
import { eventually } from "./eventually.ts";
import type { MoveRig } from "./move-rig.ts";

/** Stored is what was acknowledged of each device: every number once. */
export async function expectStored(rig: MoveRig, mode: Mode, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  await eventually(async () => {
    const found = await rig.databases[mode].collection("messages").find({}).toArray();
    const stored = Map.groupBy(found, one => String(one["deviceId"]));
    for (const [device, count] of acknowledged) {
      const numbers = (stored.get(device) ?? []).map(one => (one["value"] as { number: number }).number);
      const wanted = Array.from({ length: count }, (_, index) => index + 1);
      expect([device, numbers.toSorted((a, b) => a - b)]).toEqual([device, wanted]);
    }
  }, 10_000);
}

/** What was read earlier of a device, it sent earlier. */
export async function expectInOrder(rig: MoveRig, mode: Mode): Promise<void> {
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
