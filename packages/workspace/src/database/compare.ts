import type { Comparison } from "@skep/core/workspace/migration-state.ts";
import { COLLECTION_NAMES } from "./collections.ts";
import type { CollectionName } from "./query/run.ts";
import type { KeyPages, KeyWindow } from "./keys.ts";

/** Of what one side lacks, so many keys are told. */
const MOST_TOLD = 20;
/**
 * Whether two databases have the same messages and dead letters in a window, by their keys; what is
 * missing where. Both give their keys in order and page by page, so that few are held at once.
 */
export async function compareDatabases(source: KeyPages, target: KeyPages, window: KeyWindow): Promise<Comparison> {
  const total = { compared: 0, source: nothing(), target: nothing() };
  for (const name of Object.keys(COLLECTION_NAMES) as CollectionName[]) {
    const pairs = pairKeys(keysOf(source, name, window), keysOf(target, name, window));
    for await (const [inSource, inTarget] of pairs) {
      total.compared += 1;
      if (inSource === undefined) note(total.source, inTarget ?? "");
      else if (inTarget === undefined) note(total.target, inSource);
    }
  }
  const { compared, source: ofSource, target: ofTarget } = total;
  return { from: window.from, until: window.until, compared, missing: { source: ofSource, target: ofTarget } };
}

interface Missing {
  count: number;
  readonly first: string[];
}

function nothing(): Missing {
  return { count: 0, first: [] };
}

function note(missing: Missing, key: string): void {
  missing.count += 1;
  if (missing.first.length < MOST_TOLD) missing.first.push(key);
}

/** Pairs of equal keys out of two ordered lists; a key that one list lacks stands alone. */
export async function* pairKeys(
  left: AsyncIterable<string>,
  right: AsyncIterable<string>,
): AsyncGenerator<readonly [string | undefined, string | undefined]> {
  const [a, b] = [left[Symbol.asyncIterator](), right[Symbol.asyncIterator]()];
  try {
    let [one, other] = await Promise.all([a.next(), b.next()]);
    while (one.done !== true || other.done !== true) {
      const order = one.done === true ? 1 : other.done === true ? -1 : byBytes(one.value, other.value);
      yield [order <= 0 ? one.value : undefined, order >= 0 ? other.value : undefined];
      [one, other] = await Promise.all([order <= 0 ? a.next() : one, order >= 0 ? b.next() : other]);
    }
  } finally {
    await Promise.all([a.return?.(), b.return?.()]);
  }
}

/** The order of the server, which compares the bytes of texts. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

async function* keysOf(database: KeyPages, name: CollectionName, window: KeyWindow): AsyncGenerator<string> {
  let page = await database.keysPage(name, window, "");
  while (page.length > 0) {
    yield* page;
    page = await database.keysPage(name, window, page.at(-1) ?? "");
  }
}
