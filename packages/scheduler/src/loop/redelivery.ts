import type { NodeId } from "@skep/core/model/node.ts";
import type { Assignments } from "./assignments.ts";
import type { Beats } from "./beats.ts";
import type { Leadership } from "./leader.ts";
import type { Running } from "./ports.ts";

/** An agent that still works by an older assignment after this time has missed the newer one. */
const PATIENCE_MS = 2_000;

/** Tells an assignment again to agents whose beats show that they do not work by it. */
export function createRedelivery(
  beats: Beats,
  assignments: Assignments,
  leadership: Leadership,
  wake: () => void,
): Running {
  const { succeeds } = leadership.identity;
  /** Since when each node is known to be behind, by `beats.awakeMs`. */
  const behindSince = new Map<NodeId, number>();
  const subscription = beats.onBeat(({ nodeId, incarnation, appliedTerm, appliedRevision }) => {
    const told = assignments.told(nodeId);
    const isBehind =
      told !== undefined &&
      (succeeds.includes(incarnation) ||
        appliedTerm < leadership.term ||
        (appliedTerm === leadership.term && appliedRevision < told));
    if (!isBehind) {
      behindSince.delete(nodeId);
      return;
    }
    const since = behindSince.get(nodeId);
    if (since === undefined) behindSince.set(nodeId, beats.awakeMs());
    else if (beats.awakeMs() - since >= PATIENCE_MS) {
      behindSince.delete(nodeId);
      assignments.again(nodeId);
      wake();
    }
  });
  return { close: async () => subscription.close() };
}
