/** A range of IPv4 addresses: its first address as a number, and how many leading bits it fixes. */
export interface Block {
  readonly base: number;
  readonly bits: number;
}

/** Reads `10.1.2.3` as a number; `undefined` for anything else, `10.1` and `010.1.2.3` included. */
export function parseAddress(text: string): number | undefined {
  const match = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.exec(text);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(1).map(Number);
  return Math.max(a, b, c, d) > 255 ? undefined : a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
}

/** Writes an address. */
export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** Reads `10.1.0.0/16`, with the bits beyond the prefix cleared; `undefined` for no IPv4 block. */
export function parseBlock(text: string): Block | undefined {
  const [first = "", prefix = "", ...more] = text.split("/");
  const address = parseAddress(first);
  if (address === undefined || more.length > 0 || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return undefined;
  const bits = Number(prefix);
  return { base: Math.floor(address / sizeOf(bits)) * sizeOf(bits), bits };
}

/** Writes a block. */
export function formatBlock({ base, bits }: Block): string {
  return `${formatAddress(base)}/${bits}`;
}

/** How many addresses a block of so many bits has. */
export function sizeOf(bits: number): number {
  return 2 ** (32 - bits);
}

/** Whether the blocks share an address. */
export function overlap(one: Block, other: Block): boolean {
  return one.base < other.base + sizeOf(other.bits) && other.base < one.base + sizeOf(one.bits);
}

/** Whether all of `inner` is in `outer`. */
export function contains(outer: Block, inner: Block): boolean {
  return inner.bits >= outer.bits && overlap(outer, inner);
}

/** Whether the address is in the block. */
export function holds(block: Block, address: string): boolean {
  const number = parseAddress(address);
  return number !== undefined && contains(block, { base: number, bits: 32 });
}
