import type { NodeId } from "../model/node.ts";

/** How much of what a node runs no record explains. */
export interface NodeCount {
  readonly nodeId: NodeId;
  /** What is unproven, and what is left alone: of some of it the records learn more later. */
  readonly unproven: number;
  readonly seen: number;
}

/** What must not be removed. */
export interface Brake {
  /** Nothing unproven is removed anywhere. */
  readonly fleet: boolean;
  /** Nothing unproven is removed from these. */
  readonly nodes: ReadonlySet<NodeId>;
}

/** Whether so much has no explanation that it is likelier that the records are wrong. */
function tooMany(unproven: number, seen: number): boolean {
  return unproven > Math.max(3, seen / 3);
}

/**
 * The brake on removing what the records do not know. It looks at each node, and at the whole
 * fleet: records that were emptied explain nothing anywhere, and a node may have three instances or
 * fewer.
 */
export function brakeOn(counts: readonly NodeCount[]): Brake {
  const sum = (of: (count: NodeCount) => number): number => counts.reduce((total, one) => total + of(one), 0);
  return {
    fleet: tooMany(
      sum(one => one.unproven),
      sum(one => one.seen),
    ),
    nodes: new Set(counts.filter(one => tooMany(one.unproven, one.seen)).map(one => one.nodeId)),
  };
}
