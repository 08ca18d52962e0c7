import { BSON, type Collection } from "mongodb";
import type { Collections } from "./collections.ts";
import { operationFailure } from "./failure.ts";
import type { KeyPages } from "./keys.ts";
import type { CollectionName } from "./query/run.ts";
import { insertAll, type Written } from "./write.ts";

/** A document of a collection as BSON, just as it stands there. */
export type PortableDocument = Uint8Array;

/** What takes documents of another database; those that it has already count as stored. */
export interface Importing {
  importAll(
    collection: CollectionName,
    documents: readonly PortableDocument[],
  ): Promise<Pick<Written, "stored" | "refused">>;
}

/** A database whose content can be brought to another one. */
export interface PortableDatabase extends KeyPages, Importing {
  /** The documents of these keys; one that is gone is left out. */
  exportAll(collection: CollectionName, keys: readonly string[]): Promise<readonly PortableDocument[]>;
  /**
   * Keys of what was received since, ms, in pages, the latest first. Where what was received
   * earlier stands in between, older ones come, too.
   */
  latest(collection: CollectionName, since: number): AsyncIterable<readonly string[]>;
  /** How many documents there are, about. */
  count(): Promise<number>;
}

/** Numbers keep their types, which a plain reading would change. */
const AS_THEY_STAND = { promoteValues: false, promoteBuffers: false, promoteLongs: false, bsonRegExp: true } as const;
const PAGE = 1_000;
/** So many in a row that are older mean that all before are. */
const OLD_IN_A_ROW = 2_000;
const MOST_TIME_MS = 60_000;

/** The documents of these keys. */
export async function exportAll(
  collections: Collections,
  name: CollectionName,
  keys: readonly string[],
): Promise<readonly PortableDocument[]> {
  const found = anyOf(collections, name).find(
    { _id: { $in: [...keys] } },
    { ...AS_THEY_STAND, maxTimeMS: MOST_TIME_MS },
  );
  try {
    return (await found.toArray()).map(one => BSON.serialize(one, { ignoreUndefined: false }));
  } catch (error) {
    throw operationFailure("Reading what is to be copied", error);
  }
}

/**
 * Stores documents of another database. A message that comes is no dead letter there any more: it
 * was replayed since this database had it as one.
 */
export async function importInto(
  collections: Collections,
  name: CollectionName,
  documents: readonly PortableDocument[],
): Promise<Written> {
  const all = documents.map(one => BSON.deserialize(one, AS_THEY_STAND) as Kept);
  const written = await insertAll(anyOf(collections, name), all);
  const stored = all.flatMap(({ _id }) => (written.refused.has(_id) ? [] : [_id]));
  if (name === "messages") await collections.deadLetters.deleteMany({ _id: { $in: stored } });
  return written;
}

/** See `PortableDatabase.latest`. */
export async function* latestKeys(
  collections: Collections,
  name: CollectionName,
  since: number,
): AsyncGenerator<readonly string[]> {
  const options = { projection: { _id: 1, receivedAt: 1 }, sort: { $natural: -1 }, batchSize: PAGE } as const;
  const cursor = anyOf(collections, name).find({}, options);
  let page: string[] = [];
  let old = 0;
  try {
    for await (const one of cursor) {
      old = one.receivedAt.getTime() < since ? old + 1 : 0;
      if (old > OLD_IN_A_ROW) break;
      page.push(one._id);
      if (page.length < PAGE) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  } catch (error) {
    throw operationFailure("Reading what is to be copied", error);
  } finally {
    await cursor.close();
  }
}

/** How many documents there are, by what the server keeps of its collections. */
export async function countAll({ messages, deadLetters }: Collections): Promise<number> {
  const [one, other] = await Promise.all([messages.estimatedDocumentCount(), deadLetters.estimatedDocumentCount()]);
  return one + other;
}

/** What all documents have. */
interface Kept {
  readonly _id: string;
  readonly receivedAt: Date;
}

function anyOf({ messages, deadLetters }: Collections, name: CollectionName): Collection<Kept> {
  const all = { messages, deadLetters } as unknown as Record<CollectionName, Collection<Kept>>;
  return all[name];
}
