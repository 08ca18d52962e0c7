import { formatBlock, sizeOf, type Block } from "@skep/core/network/block.ts";
import type { Protocol } from "../state/net-state.ts";

/** Protocols as nftables lists them. */
export const PROTOCOL_NUMBER: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17 };

/**
 * The same addresses as blocks that share none: a set of nftables takes no address twice. Sorted.
 */
export function disjoint(blocks: readonly Block[]): readonly Block[] {
  const kept: Block[] = [];
  for (const block of blocks.toSorted((a, b) => a.base - b.base || a.bits - b.bits)) {
    const last = kept.at(-1);
    // Two blocks that overlap hold each other, and the wider one comes first.
    if (last === undefined || block.base >= last.base + sizeOf(last.bits)) kept.push(block);
  }
  return kept;
}

/** A block as nftables lists it: one address without its prefix. */
export function elementOf(block: Block): string {
  const text = formatBlock(block);
  return block.bits === 32 ? text.slice(0, -"/32".length) : text;
}

/** Blocks that are no part of the internet, and addresses at which clouds tell nodes secrets. */
export const NOT_INTERNET: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "168.63.129.16/32",
];
