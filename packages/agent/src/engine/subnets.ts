import { formatBlock, overlap, parseBlock, sizeOf } from "@skep/core/network/block.ts";

/** Blocks of this many bits are given to tenants: 253 containers of one tenant on one node. */
const TENANT_BITS = 24;

/**
 * A /24 of `pool` that overlaps none of `taken`; `undefined` when all are taken or the pool is no
 * block of at most 24 bits. The engine's own pools hold some thirty bridges, far fewer than a node
 * has tenants, so blocks are chosen here.
 */
export function freeSubnet(pool: string, taken: readonly string[]): string | undefined {
  const whole = parseBlock(pool);
  if (whole === undefined || whole.bits > TENANT_BITS) return undefined;
  const used = taken.flatMap(text => parseBlock(text) ?? []);
  const size = sizeOf(TENANT_BITS);
  for (let base = whole.base; base < whole.base + sizeOf(whole.bits); base += size) {
    const block = { base, bits: TENANT_BITS };
    if (!used.some(other => overlap(block, other))) return formatBlock(block);
  }
  return undefined;
}
