import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createReadLeases } from "./read-leases.ts";

const own = { workspaceId: "fleet", epoch: 3 };
const answer = (over = {}) => ({ holdMs: 2_000, granted: [own], ended: [], anew: "", revision: 0, ...over });

it("lets a workspace be read from the first answer on, for as long as it says from when it was asked", async () => {
  const clock = createVirtualClock();
  const leases = createReadLeases(clock);
  expect([leases.mayRead(own), leases.isHeard()]).toEqual([false, false]);
  const sentAtMs = clock.monotonic();
  await clock.advance(500);
  leases.answered(sentAtMs, [own], answer());
  await clock.advance(1_499);
  expect([leases.mayRead(own), leases.isHeard()]).toEqual([true, true]);
  await clock.advance(1);
  expect([leases.mayRead(own), leases.isHeard()]).toEqual([false, false]);
});

it("lets nothing be read that was not named by its epoch", () => {
  const leases = createReadLeases(createVirtualClock());
  leases.answered(0, [own], answer());
  expect(leases.mayRead({ ...own, epoch: 2 })).toBe(false);
  expect(leases.mayRead({ ...own, workspaceId: "other" })).toBe(false);
});

it("ends at once what was named and not granted, and leaves what was not named", () => {
  const leases = createReadLeases(createVirtualClock());
  const other = { workspaceId: "other", epoch: 1 };
  leases.answered(0, [own, other], answer({ granted: [own, other] }));
  leases.answered(0, [other], answer({ granted: [] }));
  expect([leases.mayRead(own), leases.mayRead(other)]).toEqual([true, false]);
});
