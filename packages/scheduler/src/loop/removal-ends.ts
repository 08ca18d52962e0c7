import type { Report } from "@skep/api/codec/report.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Assignments } from "./assignments.ts";
import type { Leadership } from "./leader.ts";
import type { Removals } from "./removals.ts";

/** What a report is compared with. */
export interface RemovalEndsOptions {
  readonly leadership: Leadership;
  readonly assignments: Pick<Assignments, "told" | "leftRemovals">;
  readonly removals: Removals;
  readonly wake: () => void;
}

/**
 * Ends the removals that a report calls gone, and has the others told. A message has room for so
 * many: the rest is told once the node has done some. A full report of an agent that works by the
 * last message shows as well which it was never told. The answer throws the store's error.
 */
export function createRemovalEnds(
  clock: Pick<Clock, "now">,
  { leadership, assignments, removals, wake }: RemovalEndsOptions,
): (report: Report) => Promise<void> {
  /** Whether the agent took the last message and yet cannot explain what it is to remove. */
  function lacksRemoval({ nodeId, appliedTerm, appliedRevision, strangers }: Report): boolean {
    if (appliedTerm !== leadership.term || appliedRevision !== assignments.told(nodeId)) return false;
    return strangers.some(one => removals.has(nodeId, one.status));
  }

  return async report => {
    const { nodeId } = report;
    const hasDoneSome = removals.done(nodeId, report.gone);
    const isDue = (hasDoneSome && assignments.leftRemovals(nodeId)) || (report.full && lacksRemoval(report));
    if (!isDue) return;
    const rest = removals.of(nodeId).map(one => ({ ...one, nodeId }));
    await removals.repeat(rest, clock.now());
    wake();
  };
}
