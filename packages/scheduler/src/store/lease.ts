import type { Lease } from "./store.ts";

/** Whether nobody has renewed or taken the lease between the two looks at it. */
export function isSameLease(a: Lease, b: Lease): boolean {
  return a.holder === b.holder && a.term === b.term && a.mark === b.mark;
}
