import { overlap, parseBlock } from "@skep/core/network/block.ts";
import type { BlockChange, BlockHolder } from "@skep/core/network/blocks.ts";
import { inOrder, type Records } from "../memory-records.ts";

/** See `BlockStore.loadBlocks`. */
export function loadBlocks(records: Records): readonly BlockHolder[] {
  return inOrder(records.nodes.values(), ({ node }) => node.id)
    .filter(({ node, sessionId }) => sessionId !== undefined || node.block !== undefined)
    .map(({ node: { id, block, reportedBlock }, swarmState, seenAt }) => ({
      ...{ id, block, reported: reportedBlock },
      goneSince: swarmState === "removed" ? (seenAt ?? 0) : undefined,
    }));
}

/** See `BlockStore.saveBlocks`. */
export function saveBlocks(records: Records, changes: readonly BlockChange[]): boolean {
  const blocks = new Map([...records.nodes].map(([id, { node }]) => [id, node.block]));
  for (const { nodeId, was, block } of changes) {
    if (!blocks.has(nodeId) || blocks.get(nodeId) !== was) return false;
    blocks.set(nodeId, block);
  }
  const taken = [...blocks.values()].flatMap(text => (text === undefined ? [] : (parseBlock(text) ?? [])));
  if (taken.some((one, index) => taken.slice(index + 1).some(other => overlap(one, other)))) return false;
  for (const { nodeId, block } of changes) {
    const entry = records.nodes.get(nodeId)!;
    const { block: _, ...rest } = entry.node;
    entry.node = { ...rest, ...(block === undefined ? {} : { block }) };
  }
  return true;
}
