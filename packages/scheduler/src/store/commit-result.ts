import type { NodeId } from "@skep/core/model/node.ts";

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
