import type { HeldNode, RecoveryItem } from "./recovery-records.ts";

/**
 * No scheduler gives an epoch, a release or a slot from here on. An agent that names one would have
 * the next ones be more than the records can hold, and then nothing could be placed.
 */
const COUNTS_BELIEVED = 1_000_000_000;

function isBelieved(...counts: readonly number[]): boolean {
  return counts.every(count => count < COUNTS_BELIEVED);
}

/** What an agent holds, without what no scheduler can have given it. */
export function believedOf(node: HeldNode): HeldNode {
  const { assignment, epochs, present } = node;
  const instances = assignment?.instances.filter(one => isBelieved(one.epoch, one.release, one.slot)) ?? [];
  return {
    ...node,
    assignment: assignment === undefined ? undefined : { ...assignment, instances },
    epochs: Object.fromEntries(Object.entries(epochs).filter(([, epoch]) => isBelieved(epoch))),
    present: present.filter(one => isBelieved(one.status.epoch)),
  };
}

/** What is left alone on its node because of that. */
export function disbelievedOf({ nodeId, present }: HeldNode): readonly RecoveryItem[] {
  const absurd = present.filter(one => !isBelieved(one.status.epoch));
  return absurd.map(({ status: { instanceId, epoch } }) => ({
    ...{ nodeId, instanceId, epoch, action: "leave" },
    because: "no scheduler gives so high an epoch: look into its node",
  }));
}
