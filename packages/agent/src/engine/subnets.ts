/** A range of IPv4 addresses: its first address as a number, and how many leading bits it fixes. */
interface Block {
  readonly base: number;
  readonly bits: number;
}

/** Blocks of this many bits are given to tenants: 253 containers of one tenant on one node. */
const TENANT_BITS = 24;

/** Reads `10.1.0.0/16`; `undefined` for anything that is no IPv4 block. */
export function parseBlock(text: string): Block | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number);
  if (Math.max(a, b, c, d) > 255 || bits > 32) return undefined;
  const address = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  const size = 2 ** (32 - bits);
  return { base: Math.floor(address / size) * size, bits };
}

/**
 * A /24 of `pool` that overlaps none of `taken`; `undefined` when all are taken or the pool is no
 * block of at most 24 bits. The engine's own pools hold some thirty bridges, far fewer than a node
 * has tenants, so blocks are chosen here.
 */
export function freeSubnet(pool: string, taken: readonly string[]): string | undefined {
  const whole = parseBlock(pool);
  if (whole === undefined || whole.bits > TENANT_BITS) return undefined;
  const used = taken.flatMap(text => parseBlock(text) ?? []);
  const size = 2 ** (32 - TENANT_BITS);
  for (let base = whole.base; base < whole.base + 2 ** (32 - whole.bits); base += size) {
    const block = { base, bits: TENANT_BITS };
    if (!used.some(other => overlap(block, other))) return format(block);
  }
  return undefined;
}

function overlap(one: Block, other: Block): boolean {
  return one.base < other.base + 2 ** (32 - other.bits) && other.base < one.base + 2 ** (32 - one.bits);
}

function format({ base, bits }: Block): string {
  const bytes = [24, 16, 8, 0].map(shift => Math.floor(base / 2 ** shift) % 256);
  return `${bytes.join(".")}/${bits}`;
}
