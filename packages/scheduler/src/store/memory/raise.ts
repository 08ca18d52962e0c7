import { withStamp } from "@skep/core/identity/assignment-line.ts";
import type { Node } from "@skep/core/model/node.ts";
import type { Records } from "../memory-records.ts";

/**
 * No two raises of this process get the same one, also where older records are put back between.
 */
let lastStamp = 0;

/** A stamp that nothing else has. */
export function drawStamp(): number {
  return ++lastStamp;
}

/** The node with its assignment's revision raised. */
export function raised(node: Node, stamp = drawStamp()): Node {
  const assignmentStamps = withStamp(node.assignmentStamps, stamp);
  return { ...node, assignmentRevision: node.assignmentRevision + 1, assignmentStamps };
}

/** Raises the revision of these nodes' assignments and answers the new ones. */
export function raise(records: Records, nodeIds: Iterable<string>, stamp?: number): ReadonlyMap<string, number> {
  const revisions = new Map<string, number>();
  for (const nodeId of nodeIds) {
    const entry = records.nodes.get(nodeId);
    if (entry === undefined) continue;
    entry.node = raised(entry.node, stamp);
    revisions.set(nodeId, entry.node.assignmentRevision);
  }
  return revisions;
}
