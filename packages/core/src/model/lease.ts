/**
 * The arithmetic of a lease that an exclusive copy runs by. It counts from when its agent asked for
 * it, on clocks that may be a tenth wrong, and everybody who relies on it reads it here.
 */

/** How long an agent lets a copy run by a lease. */
export function leaseUse(leaseMs: number): number {
  return leaseMs * 0.8;
}

/** After this long a guard ends a copy that its agent should have ended. */
export function guardedUse(leaseMs: number): number {
  return leaseMs * 0.9;
}

/** What a copy without a lease gets between stop signal and kill, whatever its spec says. */
export const LEASE_GRACE_MS = 3_000;

/** What a guard gives it. */
export const GUARD_GRACE_MS = 1_000;

/** What an engine may take to carry out a kill. */
export const KILL_MS = 2_000;

/** The leader's lease is at most this share of a copy's: a commit may be so much late. */
export const MOST_COMMIT_SHARE = 0.2;

/**
 * How long after it was given up a copy may still run. The commit that gave it up may have come a
 * leader's lease later than its own time, the copy may have got its last lease right before it, and
 * the clock of its node may be slow.
 */
export function leaseWait(leaseMs: number): number {
  return Math.ceil(leaseMs * 1.2) + WAIT_MARGIN_MS;
}

const WAIT_MARGIN_MS = 6_000;
