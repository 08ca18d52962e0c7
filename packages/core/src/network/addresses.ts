import { formatAddress, holds, parseAddress, sizeOf, type Block } from "./block.ts";

/** Who has which address of a node, and which ones were had by somebody lately. */
export interface AddressBook {
  /** Addresses of copies, by `<instance id>@<epoch>`. */
  readonly held: ReadonlyMap<string, string>;
  /** When the last one who had an address left, ms since the epoch. */
  readonly leftAt: ReadonlyMap<string, number>;
}

/** A book in which nobody has an address. */
export const NO_ADDRESSES: AddressBook = { held: new Map(), leftAt: new Map() };

/**
 * An address is nobody's for so long after somebody left: clients that have not heard of it yet
 * must not reach a stranger.
 */
export const ADDRESS_RESTS_MS = 300_000;

/**
 * Lets everybody who is to have an address have one of the block, and takes back those of all
 * others. Who has one keeps it. A new one gets the lowest that nobody ever had, then the one that
 * has been nobody's for longest; where all are had or rest still, it gets none.
 */
export function giveAddresses(book: AddressBook, wanted: readonly string[], block: Block, now: number): AddressBook {
  const keeps = new Set(wanted);
  const [held, leftAt] = [new Map<string, string>(), new Map(book.leftAt)];
  for (const [key, address] of book.held) {
    if (keeps.has(key) && holds(block, address)) held.set(key, address);
    else leftAt.set(address, now);
  }
  const taken = new Set(held.values());
  for (const key of wanted) {
    if (held.has(key)) continue;
    const address = freeAddress(block, taken, leftAt, now);
    if (address === undefined) break;
    held.set(key, address);
    taken.add(address);
    leftAt.delete(address);
  }
  return { held, leftAt };
}

/** The first and the last address of a block are nobody's: the first one is the node's own. */
function freeAddress(
  { base, bits }: Block,
  taken: ReadonlySet<string>,
  leftAt: ReadonlyMap<string, number>,
  now: number,
): string | undefined {
  let [longest, best] = [Infinity, undefined as string | undefined];
  for (let number = base + 1; number < base + sizeOf(bits) - 1; number++) {
    const address = formatAddress(number);
    if (taken.has(address)) continue;
    const left = leftAt.get(address);
    if (left === undefined) return address;
    // A clock that was put back makes times of the future, which say nothing.
    const isResting = Math.abs(now - left) < ADDRESS_RESTS_MS;
    if (!isResting && left < longest) [longest, best] = [left, address];
  }
  return best;
}

/** A book as lines of text. */
export function formatAddressBook({ held, leftAt }: AddressBook): readonly string[] {
  return [
    ...[...held].map(([key, address]) => `held ${address} ${key}`),
    ...[...leftAt].map(([address, at]) => `left ${address} ${at}`),
  ];
}

/** Reads them; a line that says nothing is passed over. */
export function parseAddressBook(lines: readonly string[]): AddressBook {
  const [held, leftAt] = [new Map<string, string>(), new Map<string, number>()];
  for (const line of lines) {
    const [word, address = "", rest = ""] = line.split(" ");
    if (parseAddress(address) === undefined) continue;
    if (word === "held" && rest !== "") held.set(rest, address);
    if (word === "left" && /^\d{1,15}$/.test(rest)) leftAt.set(address, Number(rest));
  }
  return { held, leftAt };
}
