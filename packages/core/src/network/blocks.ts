import type { NodeId } from "../model/node.ts";
import { contains, formatBlock, overlap, parseBlock, sizeOf, type Block } from "./block.ts";

/** Out of which addresses the nodes get their blocks, and how large these are. */
export interface Pool {
  readonly block: Block;
  /** Bits of each node's block. */
  readonly nodeBits: number;
}

/** 1,024 blocks of 4,096 addresses, outside of what Docker, Swarm and the agent's bridges take. */
export const DEFAULT_POOL: Pool = { block: { base: 10 * 2 ** 24 + 128 * 2 ** 16, bits: 10 }, nodeBits: 20 };

/** A recorded node with its addresses, whether it still is in the Swarm or not. */
export interface BlockHolder {
  readonly id: NodeId;
  /** The block that is recorded for it. */
  readonly block: string | undefined;
  /** The block that its agent works by. */
  readonly reported: string | undefined;
  /** Since when it is gone from the Swarm for good, by its last sign of life. */
  readonly goneSince: number | undefined;
}

/** One change of the records: the node's block was `was`, and is to be `block`. */
export interface BlockChange {
  readonly nodeId: NodeId;
  readonly was: string | undefined;
  readonly block: string | undefined;
  readonly because: string;
}

/** Something about a node's block that a person has to know. */
export interface BlockFinding {
  readonly nodeId: NodeId;
  readonly kind: "network.pool-full" | "network.block-refused";
  readonly sentence: string;
}

/** What is to be written, and what is to be said. */
export interface BlockPlan {
  readonly changes: readonly BlockChange[];
  readonly findings: readonly BlockFinding[];
}

/** A removed node's block is somebody else's only after this time: the machine may come back. */
export const KEEP_BLOCK_MS = 7 * 24 * 3_600_000;

interface Claims {
  /** The block of each node as the plan has it so far. */
  readonly given: Map<NodeId, Block>;
  readonly because: Map<NodeId, string>;
  readonly findings: BlockFinding[];
}

/**
 * Gives every node its block. A node keeps the block that it has, also while it is away. What an
 * agent works by is believed where nobody else works by it, so that records that were lost or are
 * older become right again without moving an address. Two that work by one block: the recorded one
 * keeps it. A new node gets the lowest block that nobody ever had; once there is none, that of the
 * node that has been gone for longest. `mayGive` is false while nodes may still say what they have.
 */
export function planBlocks(
  holders: readonly BlockHolder[],
  pool: Pool,
  { now, mayGive }: { readonly now: number; readonly mayGive: boolean },
): BlockPlan {
  const nodes = holders.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const claims: Claims = { given: new Map(), because: new Map(), findings: [] };
  for (const { id, block } of nodes) {
    const recorded = read(block);
    if (recorded !== undefined) claims.given.set(id, recorded);
  }
  for (const node of nodes) if (node.goneSince === undefined) believe(node, nodes, pool, claims);
  if (mayGive) giveRest(nodes, pool, claims, now);
  const changes = nodes.flatMap(({ id, block }): readonly BlockChange[] => {
    const given = claims.given.get(id);
    const next = given === undefined ? undefined : formatBlock(given);
    return next === block ? [] : [{ nodeId: id, was: block, block: next, because: claims.because.get(id) ?? "" }];
  });
  // What is taken away comes first: somebody else may get it.
  return { changes: changes.toSorted((a, b) => rank(a) - rank(b)), findings: claims.findings };
}

/** Whether `planBlocks` could have anything to do for the node. */
export function wantsBlock({ block, reportedBlock }: { readonly block?: string; readonly reportedBlock?: string }) {
  return block === undefined || (reportedBlock !== undefined && reportedBlock !== block);
}

function rank({ block }: BlockChange): number {
  return block === undefined ? 0 : 1;
}

function read(text: string | undefined): Block | undefined {
  return text === undefined ? undefined : parseBlock(text);
}

/** Takes the agent's word where nobody else works by that block. */
function believe(node: BlockHolder, nodes: readonly BlockHolder[], pool: Pool, { given, because, findings }: Claims) {
  const { id, reported } = node;
  if (reported === undefined || reported === node.block) return;
  const refuse = (why: string): void => {
    const sentence = `Node ${id} works by the addresses ${reported}, which are not recorded for it and cannot be: ${why}. Its instances get others as they are started anew.`;
    findings.push({ nodeId: id, kind: "network.block-refused", sentence });
  };
  const claimed = parseBlock(reported);
  if (claimed === undefined || claimed.bits !== pool.nodeBits || !contains(pool.block, claimed))
    return refuse(`they are no block of /${pool.nodeBits} in the pool ${formatBlock(pool.block)}`);
  const others = nodes.filter(other => {
    const theirs = given.get(other.id);
    return other.id !== id && theirs !== undefined && overlap(theirs, claimed);
  });
  const user = others.find(other => other.goneSince === undefined && isUsing(other, claimed));
  if (user !== undefined) return refuse(`node ${user.id} works by them too, and is recorded with them`);
  for (const other of others) {
    given.delete(other.id);
    because.set(other.id, `node ${id} works by ${reported}, and this one never did`);
  }
  given.set(id, claimed);
  because.set(id, "its agent works by it");
}

function isUsing({ reported }: BlockHolder, block: Block): boolean {
  const used = read(reported);
  return used !== undefined && overlap(used, block);
}

function giveRest(nodes: readonly BlockHolder[], pool: Pool, { given, because, findings }: Claims, now: number): void {
  const waiting = nodes.filter(({ id, goneSince }) => goneSince === undefined && !given.has(id));
  if (waiting.length === 0) return;
  const free = freeOf(pool, [...given.values(), ...nodes.flatMap(({ reported }) => read(reported) ?? [])]);
  const left = nodes
    .filter(({ id, goneSince }) => given.has(id) && goneSince !== undefined && now - goneSince >= KEEP_BLOCK_MS)
    .toSorted((a, b) => a.goneSince! - b.goneSince!);
  for (const { id } of waiting) {
    const next = free.next();
    if (next.done !== true) {
      given.set(id, next.value);
      because.set(id, "it is the lowest one that nobody has");
      continue;
    }
    const gone = left.find(
      one => contains(pool.block, given.get(one.id)!) && given.get(one.id)!.bits === pool.nodeBits,
    );
    if (gone === undefined) {
      const sentence = `No block of addresses is left for node ${id}: all of ${formatBlock(pool.block)} is given out in blocks of /${pool.nodeBits}. Nothing on its network can start there; give the schedulers a larger SKEP_ADDRESS_POOL.`;
      findings.push({ nodeId: id, kind: "network.pool-full", sentence });
      continue;
    }
    left.splice(left.indexOf(gone), 1);
    given.set(id, given.get(gone.id)!);
    given.delete(gone.id);
    because.set(id, `the pool is used up, and node ${gone.id} has been gone for longest`);
    because.set(gone.id, `node ${id} gets it, since the pool is used up and this node has been gone for longest`);
  }
}

/** The blocks of the pool that overlap none of `taken`, the lowest first. */
function* freeOf({ block, nodeBits }: Pool, taken: readonly Block[]): Generator<Block, undefined> {
  const size = sizeOf(nodeBits);
  const count = sizeOf(block.bits) / size;
  const used = new Set<number>();
  for (const one of taken) {
    if (!overlap(one, block)) continue;
    const first = Math.max(0, Math.floor((one.base - block.base) / size));
    const last = Math.min(count - 1, Math.floor((one.base + sizeOf(one.bits) - 1 - block.base) / size));
    for (let index = first; index <= last; index += 1) used.add(index);
  }
  for (let index = 0; index < count; index += 1)
    if (!used.has(index)) yield { base: block.base + index * size, bits: nodeBits };
  return undefined;
}
