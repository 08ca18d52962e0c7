import { KEY_TIME_LENGTH } from "../message.ts";
import type { Collections } from "./collections.ts";
import { operationFailure } from "./failure.ts";

/** Longest to look: an ingest waits for it, and asks again where it fails. */
const MOST_TIME_MS = 10_000;

/**
 * Of these beginnings, behind the time, the whole keys among the latest documents of each
 * collection, in the order in which they were stored: neither clock says that. Keys are compared
 * here: the server would compare each of them with each beginning.
 */
export async function recallKeys(
  { messages, deadLetters }: Collections,
  prefixes: readonly string[],
  within: number,
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set(prefixes);
  const lengths = [...new Set(prefixes.map(prefix => prefix.length))];
  const found = new Map<string, string>();
  const options = { projection: { _id: 1 }, limit: within, batchSize: 20_000, maxTimeMS: MOST_TIME_MS } as const;
  const stored = { ...options, sort: { $natural: -1 } } as const;
  const latest = [messages.find({}, stored), deadLetters.find({}, stored)];
  const all = await Promise.all(latest.map(cursor => cursor.toArray())).catch((error: unknown) => {
    throw operationFailure("Looking for what was stored", error);
  });
  for (const { _id: key } of all.flat()) {
    for (const length of lengths) {
      const prefix = key.slice(KEY_TIME_LENGTH, KEY_TIME_LENGTH + length);
      if (wanted.has(prefix) && !found.has(prefix)) found.set(prefix, key);
    }
  }
  return found;
}
