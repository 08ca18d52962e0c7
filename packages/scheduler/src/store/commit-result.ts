import type { NodeId } from "@skep/core/model/node.ts";
import type { Mandate } from "./mandate.ts";

/** Nodes whose revision a write of the leader raised, and to what. */
export interface Raised {
  readonly kind: "committed";
  readonly revisions: ReadonlyMap<NodeId, number>;
}

/** A plan that was written; `stamp` is what each of the new revisions got. */
export interface Committed extends Raised {
  readonly stamp: number;
}

/** It wrote nothing, and the tick has to look again. */
export interface Stale {
  readonly kind: "stale";
  readonly because: string;
}

/** What a leader is told whose lease is over: nothing is written. */
export function leaseEnded({ term }: Pick<Mandate, "term">): Stale {
  return { kind: "stale", because: `the lease of term ${term} has ended` };
}
