import type { Clock } from "@skep/kit/clock.ts";
import { isSameLease } from "../store/lease.ts";
import type { Lease } from "../store/store.ts";

/** How long the lease has stood still, by the clock of the replica that watches it. */
export interface LeaseWatch {
  saw(lease: Lease): void;
  /** The lease as it was last seen, where nobody has renewed it for longer than it lasts. */
  stalled(): Lease | undefined;
}

/**
 * More than one lease's time: its holder counts from before it asked, and no two clocks run alike.
 */
const STALLED = 1.1;

/** Makes one that has seen nothing. */
export function createLeaseWatch(clock: Pick<Clock, "monotonic">, ttlMs: number): LeaseWatch {
  let seen: { readonly lease: Lease; readonly sinceMs: number } | undefined;
  return {
    saw: lease => {
      if (seen === undefined || !isSameLease(seen.lease, lease)) seen = { lease, sinceMs: clock.monotonic() };
    },
    stalled: () => (seen !== undefined && clock.monotonic() - seen.sinceMs > ttlMs * STALLED ? seen.lease : undefined),
  };
}
