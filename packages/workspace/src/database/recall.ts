import type { Collections } from "./collections.ts";
import { operationFailure } from "./failure.ts";

/** Longest to look: an ingest waits for it, and asks again where it fails. */
const MOST_TIME_MS = 10_000;

/**
 * Of these beginnings, the whole keys among the latest documents of each collection, in the order
 * in
 * which they were stored: neither clock says that. Keys are compared here: the server would compare
 * each of them with each beginning.
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
  for (const latest of [() => messages.find({}, stored), () => deadLetters.find({}, stored)]) {
    for await (const key of keysOf(latest())) {
      for (const length of lengths) {
        const prefix = key.slice(0, length);
        if (wanted.has(prefix) && !found.has(prefix)) found.set(prefix, key);
      }
    }
  }
  return found;
}

interface Keys extends AsyncIterable<{ readonly _id: string }> {
  close(): Promise<void>;
}

async function* keysOf(cursor: Keys): AsyncGenerator<string> {
  try {
    for await (const { _id } of cursor) yield _id;
  } catch (error) {
    throw operationFailure("Looking for what was stored", error);
  } finally {
    await cursor.close().catch(() => undefined);
  }
}
