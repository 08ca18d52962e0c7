import { assessRecords, type Holding } from "@skep/core/identity/records-age.ts";
import type { Edge } from "../store/store.ts";

/**
 * Why these routes are not to be served, in words; `undefined` where they are the fleet's. A
 * database that is empty or an old copy would take from every edge what runs and answers. `held` is
 * what the agents worked by before the routes were read.
 */
export function whyWithheld(held: readonly Holding[], { identity, term, nodes }: Edge): string | undefined {
  if (identity.unrecovered !== undefined) return identity.unrecovered.because;
  const revisions = new Map(nodes.map(node => [node.id, node.assignmentRevision]));
  const age = assessRecords(held, { identity, term, revisions });
  return age.kind === "current" ? undefined : age.because;
}
