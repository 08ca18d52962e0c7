import { contains, overlap, sizeOf, type Block } from "@skep/core/network/block.ts";
import type { Protocol, Reach } from "../state/net-state.ts";
import { disjoint, elementOf, PROTOCOL_NUMBER } from "./blocks.ts";

/** Destinations as elements of two sets: those for all protocols, and those by port. */
export interface ReachElements {
  readonly any: readonly string[];
  readonly ports: readonly string[];
}

interface Ports {
  readonly from: number;
  readonly to: number;
}

/** All ports: 0 is none. */
const EVERY: Ports = { from: 1, to: 65_535 };

/**
 * Writes destinations so that no two elements overlap, which nftables refuses: a block within
 * another one is cut out of it, and bears the ports of both.
 */
export function reachElements(reaches: readonly Reach[]): ReachElements {
  const any = disjoint(reaches.filter(one => one.protocol === undefined).map(one => one.block)).map(elementOf);
  return { any, ports: [...portElements(reaches, "tcp"), ...portElements(reaches, "udp")] };
}

function portElements(reaches: readonly Reach[], protocol: Protocol): readonly string[] {
  const ours = reaches.filter(one => one.protocol === protocol);
  return distinct(ours.map(one => one.block)).flatMap(block => {
    const inner = ours.map(one => one.block).filter(one => one.bits > block.bits && contains(block, one));
    const around = ours.filter(one => contains(one.block, block)).map(one => one.ports ?? EVERY);
    const ports = merged(around).map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
    return without(block, inner).flatMap(part =>
      ports.map(one => `${elementOf(part)} . ${PROTOCOL_NUMBER[protocol]} . ${one}`),
    );
  });
}

function distinct(blocks: readonly Block[]): readonly Block[] {
  return [...new Map(blocks.map(block => [elementOf(block), block])).values()];
}

/** What of a block is in none of these. */
function without(block: Block, holes: readonly Block[]): readonly Block[] {
  const inside = holes.filter(hole => overlap(hole, block));
  if (inside.length === 0) return [block];
  if (inside.some(hole => contains(hole, block))) return [];
  const bits = block.bits + 1;
  return [block.base, block.base + sizeOf(bits)].flatMap(base => without({ base, bits }, inside));
}

function merged(ranges: readonly Ports[]): readonly Ports[] {
  const kept: Ports[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = kept.at(-1);
    if (last === undefined || range.from > last.to + 1) kept.push(range);
    else kept[kept.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return kept;
}
