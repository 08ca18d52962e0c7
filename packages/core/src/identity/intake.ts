import type { Assignment } from "../model/assignment.ts";
import { mayHaveGiven, stampOf } from "./assignment-line.ts";
import type { InstanceId } from "../model/instance.ts";

/** What an agent remembers so that nothing older than it is ever obeyed. */
export interface Fences {
  readonly assignment: Assignment | undefined;
  /** Highest epoch ever accepted per instance: an older copy is never run again. */
  readonly epochs: Readonly<Record<InstanceId, number>>;
}

/** What became of an assignment that arrived. */
export type Intake =
  /**
   * It is what the agent now works by; `fenced` names copies in it that are older than ones this
   * node has seen.
   */
  | { readonly kind: "accepted"; readonly fences: Fences; readonly fenced: readonly string[] }
  /** It is what the agent works by already. */
  | { readonly kind: "current" }
  | { readonly kind: "refused"; readonly because: string };

/**
 * Epochs of instances that are long gone are forgotten beyond this many; serials are never used
 * again.
 */
const EPOCHS_KEPT = 10_000;

/**
 * Takes an assignment, or refuses it: for another node, from other records, of a lower term, of a
 * lower revision, or from records that never gave the one that is held. A fetched one is judged
 * like any other. Copies to run at an epoch lower than one that this node has seen are left out,
 * since somebody placed the instance again after they were decided; stopping such a copy is always
 * right. `completes`: the same assignment was taken before, when some of its specs were still on
 * their way.
 *
 * Terms, revisions and epochs are numbers of one database. Those of another one say nothing beside
 * them, so they begin anew where a person confirmed that the other one takes its place.
 */
export function takeAssignment(fences: Fences, next: Assignment, nodeId: string, completes: boolean = false): Intake {
  const held = fences.assignment;
  if (next.nodeId !== nodeId) {
    return { kind: "refused", because: `it is for node ${next.nodeId} and this is ${nodeId}` };
  }
  const isSuccessor = held !== undefined && next.incarnation !== held.incarnation && held.incarnation !== "";
  if (isSuccessor && !next.succeeds.includes(held.incarnation)) return { kind: "refused", because: whyNot(held, next) };
  if (held !== undefined && !isSuccessor) {
    if (next.term < held.term) return { kind: "refused", because: `its term ${next.term} is lower than ${held.term}` };
    // It grows with each change, whoever leads: an older copy of the records has a leader of a
    // higher term soon, and knows less than this node.
    if (next.incarnation === held.incarnation && next.revision < held.revision) {
      return { kind: "refused", because: `its revision ${next.revision} is lower than ${held.revision}` };
    }
    // Another copy of the records may count up to any number: see `assignment-line`.
    if (!mayHaveGiven(next, { revision: held.revision, ...stampOf(held) })) {
      return { kind: "refused", because: `its records never gave the revision ${held.revision} that this node has` };
    }
    const isSame = next.term === held.term && next.revision === held.revision;
    if (isSame && next.incarnation === held.incarnation && !completes) return { kind: "current" };
  }
  return accept(isSuccessor ? {} : fences.epochs, next);
}

function whyNot(held: Assignment, next: Assignment): string {
  if (held.succeeds.includes(next.incarnation)) {
    return `it is from records (${next.incarnation}) that ${held.incarnation} has replaced`;
  }
  return `it is from records (${next.incarnation}) that do not replace those this node works by (${held.incarnation})`;
}

function accept(epochs: Fences["epochs"], next: Assignment): Intake {
  const fenced = next.instances.filter(one => one.desired === "run" && one.epoch < (epochs[one.instanceId] ?? 0));
  const instances = next.instances.filter(one => !fenced.includes(one));
  const seen: Record<string, number> = { ...epochs };
  for (const { instanceId, epoch } of instances) {
    const highest = Math.max(epoch, seen[instanceId] ?? 0);
    // Written anew, so that what is in use stands at the end and the oldest at the front.
    delete seen[instanceId];
    seen[instanceId] = highest;
  }
  return {
    kind: "accepted",
    fences: {
      assignment: { ...next, instances },
      epochs: Object.fromEntries(Object.entries(seen).slice(-EPOCHS_KEPT)),
    },
    fenced: fenced.map(one => `${one.instanceId} at epoch ${one.epoch}`),
  };
}
