import type { Assignment } from "@skep/core/model/assignment.ts";
import type { JournalEntry } from "./journal.ts";

/** What became of an assignment that arrived. */
export type Intake =
  /** It is what the agent now works by; `fenced` names copies in it that are older than ones this node has seen. */
  | { readonly kind: "accepted"; readonly entry: JournalEntry; readonly fenced: readonly string[] }
  /** It is what the agent works by already. */
  | { readonly kind: "current" }
  | { readonly kind: "refused"; readonly because: string };

/** Epochs of instances that are long gone are forgotten beyond this many; serials are never used again. */
const EPOCHS_KEPT = 10_000;

/**
 * Takes an assignment, or refuses it: for another node, of a lower term, or of a lower revision of the same term. A
 * fetched one gets no favour. Copies to run at an epoch lower than one that this node has seen are left out, since
 * somebody placed the instance again after they were decided; stopping such a copy is always right.
 * `completes`: the same assignment was taken before, when some of its specs were still on their way.
 */
export function takeAssignment(
  entry: JournalEntry,
  next: Assignment,
  nodeId: string,
  completes: boolean = false,
): Intake {
  const { assignment: held, epochs } = entry;
  if (next.nodeId !== nodeId) {
    return { kind: "refused", because: `it is for node ${next.nodeId} and this is ${nodeId}` };
  }
  if (held !== undefined) {
    if (next.term < held.term) return { kind: "refused", because: `its term ${next.term} is lower than ${held.term}` };
    if (next.term === held.term && next.revision < held.revision) {
      return { kind: "refused", because: `its revision ${next.revision} is lower than ${held.revision}` };
    }
    const isSame = next.term === held.term && next.revision === held.revision;
    if (isSame && !completes) return { kind: "current" };
  }
  const fenced = next.instances.filter(one => one.desired === "run" && one.epoch < (epochs[one.instanceId] ?? 0));
  const instances = next.instances.filter(one => !fenced.includes(one));
  const seen: Record<string, number> = { ...epochs };
  for (const { instanceId, epoch } of instances) {
    const highest = Math.max(epoch, seen[instanceId] ?? 0);
    // Written anew, so that what is in use stands at the end and the oldest at the front.
    delete seen[instanceId];
    seen[instanceId] = highest;
  }
  const kept = Object.entries(seen).slice(-EPOCHS_KEPT);
  return {
    kind: "accepted",
    entry: { ...entry, assignment: { ...next, instances }, epochs: Object.fromEntries(kept) },
    fenced: fenced.map(one => `${one.instanceId} at epoch ${one.epoch}`),
  };
}
