import type { Collection } from "mongodb";
import { KEY_ORDER_LENGTH } from "../message.ts";
import type { Collections } from "./collections.ts";
import { operationFailure } from "./failure.ts";

/** Longest to look: an ingest waits for it, and asks again where it fails. */
const MOST_TIME_MS = 10_000;
/** The latest first, as they were stored: neither clock of two hosts says that. */
const LATEST_FIRST = { $natural: -1 } as const;
/** Keys that begin with a time; those of messages that their sender numbers are never asked for. */
const TIMED = { $gte: "0", $lt: ":" } as const;

/**
 * Of these beginnings, behind the order, the whole keys among the latest documents of each
 * collection, in the order in which they were stored. The server compares them: to hand out 60,000
 * keys takes a host four times as long as the server takes to look through them.
 */
export async function recallKeys(
  { messages, deadLetters }: Collections,
  prefixes: readonly string[],
  within: number,
): Promise<ReadonlyMap<string, string>> {
  const looking = [lookIn(messages, prefixes, within), lookIn(deadLetters, prefixes, within)];
  const all = await Promise.all(looking).catch((error: unknown) => {
    throw operationFailure("Looking for what was stored", error);
  });
  const wanted = new Set(prefixes);
  const lengths = lengthsOf(prefixes);
  const found = new Map<string, string>();
  for (const key of all.flat()) {
    for (const length of lengths) {
      const prefix = key.slice(KEY_ORDER_LENGTH, KEY_ORDER_LENGTH + length);
      if (wanted.has(prefix) && !found.has(prefix)) found.set(prefix, key);
    }
  }
  return found;
}

/** Keys that begin so among the latest documents, the latest first. */
async function lookIn<T extends { readonly _id: string }>(
  collection: Collection<T>,
  prefixes: readonly string[],
  within: number,
): Promise<readonly string[]> {
  const lengths = lengthsOf(prefixes);
  // Not by bytes: the server refuses to cut a character that has several.
  const parts = lengths.map(length => [`p${length}`, { $substrCP: ["$_id", KEY_ORDER_LENGTH, length] }] as const);
  const $or = lengths.map(length => ({ [`p${length}`]: { $in: prefixes.filter(one => one.length === length) } }));
  const stages = [
    { $limit: within },
    { $match: { _id: TIMED } },
    { $project: Object.fromEntries(parts) },
    { $match: { $or } },
    { $project: { _id: 1 } },
  ];
  const options = { hint: LATEST_FIRST, maxTimeMS: MOST_TIME_MS };
  const found = await collection.aggregate<{ readonly _id: string }>(stages, options).toArray();
  return found.map(({ _id }) => _id);
}

function lengthsOf(prefixes: readonly string[]): readonly number[] {
  return [...new Set(prefixes.map(prefix => prefix.length))];
}
