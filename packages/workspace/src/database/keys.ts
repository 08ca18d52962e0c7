import type { Collections } from "./collections.ts";
import { operationFailure } from "./failure.ts";
import type { CollectionName } from "./query/run.ts";

/** A window by the time at which messages were read, in ms. */
export interface KeyWindow {
  readonly from: number;
  /** Not part of it any more. */
  readonly until: number;
  /**
   * What is older than this does not count: where messages are kept for some days only, a database
   * may have removed it already.
   */
  readonly keptSince?: number;
}

/** What gives the keys of a database in the order of their bytes. */
export interface KeyPages {
  /** The keys of a window beyond `after`; none at the end. */
  keysPage(collection: CollectionName, window: KeyWindow, after: string): Promise<readonly string[]>;
}

const PAGE = 10_000;
/** No index leads to a window: a page may have to look at all messages. */
const MOST_TIME_MS = 60_000;

/** A page of keys out of the collections of a database. */
export async function keysPage(
  { messages, deadLetters }: Collections,
  collection: CollectionName,
  { from, until, keptSince = from }: KeyWindow,
  after: string,
): Promise<readonly string[]> {
  const receivedAt = { $gte: new Date(Math.max(from, keptSince)), $lt: new Date(until) };
  const filter = { _id: { $gt: after }, receivedAt };
  const options = { projection: { _id: 1 }, sort: { _id: 1 }, limit: PAGE, maxTimeMS: MOST_TIME_MS } as const;
  const found = collection === "messages" ? messages.find(filter, options) : deadLetters.find(filter, options);
  try {
    return await found.map(({ _id }) => _id).toArray();
  } catch (error) {
    throw operationFailure("Reading keys", error);
  }
}
