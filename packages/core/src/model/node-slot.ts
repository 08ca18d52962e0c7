import type { NodeId } from "./node.ts";

/** A slot is stored in 31 bits. */
const MOST = 0x7fff_ffff;

/**
 * The slot that a node has in each global deployment: 31 bits of its id, so that nothing has to be
 * recorded of it. Of two nodes with one slot only the first by id gets an instance: among a
 * thousand nodes that is so in one fleet of four thousand.
 */
export function slotOfNode(id: NodeId): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x0100_0193);
  // FNV's low bits alone are good ones: the high ones are mixed in.
  return ((hash ^ (hash >>> 15)) >>> 0) & MOST;
}
