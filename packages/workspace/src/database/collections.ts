import type { Binary, Collection, CollectionOptions, Db, IndexDescriptionInfo } from "mongodb";
import type { MessageDocument } from "../message.ts";
import { STORED } from "./connection.ts";
import { isExisting, isMissingCollection, isMissingIndex } from "./failure.ts";

/** A dead letter as it stands in its collection. */
export interface StoredLetter {
  readonly _id: string;
  readonly topic: string;
  readonly payload: Binary;
  readonly receivedAt: Date;
  readonly because: string;
  /** How many bytes there were where too many to keep came: `payload` has the first ones. */
  readonly cutFrom?: number;
}

/** What a workspace's database consists of. */
export interface Collections {
  readonly messages: Collection<MessageDocument>;
  readonly deadLetters: Collection<StoredLetter>;
}

/** The collections by their names in the database. */
export const COLLECTION_NAMES = { messages: "messages", deadLetters: "dead_letters" } as const;

/**
 * Options that no address can loosen: an address may say `w=0`, and the collection says otherwise.
 */
const OPTIONS: CollectionOptions = { writeConcern: STORED, readPreference: "primary" };

/** The collections of a database, whether they are there or not. */
export function collectionsOf(db: Db): Collections {
  return {
    messages: db.collection(COLLECTION_NAMES.messages, OPTIONS),
    deadLetters: db.collection(COLLECTION_NAMES.deadLetters, OPTIONS),
  };
}

interface Index {
  readonly name: string;
  readonly key: Readonly<Record<string, 1 | -1>>;
}

/**
 * `_id` at the end gives messages of one moment an order, which pages need. Few indexes: each costs
 * every message that is stored.
 */
const MESSAGE_INDEXES: readonly Index[] = [
  { name: "device_at", key: { deviceId: 1, at: -1, _id: -1 } },
  { name: "at", key: { at: -1, _id: -1 } },
];
const LETTER_INDEXES: readonly Index[] = [{ name: "received", key: { receivedAt: -1, _id: -1 } }];

/**
 * The index that removes what is too old; the time is the host's, since a device's may be wrong.
 */
const RETENTION = "retention";

/**
 * Makes collections and indexes where they are missing; what is there already stays. Messages and
 * dead letters are kept for `retentionDays`, or for ever where it is `undefined`.
 */
export async function ensureCollections(db: Db, retentionDays: number | undefined): Promise<Collections> {
  const collections = collectionsOf(db);
  // Both at once: a host that takes workspaces over waits for it, in each of them.
  await Promise.all([
    ensureCollection(db, collections.messages, MESSAGE_INDEXES, retentionDays),
    ensureCollection(db, collections.deadLetters, LETTER_INDEXES, retentionDays),
  ]);
  return collections;
}

/** Keeps messages and dead letters for so long; for ever where it is `undefined`. */
export async function ensureRetention(db: Db, days: number | undefined): Promise<void> {
  const names = Object.values(COLLECTION_NAMES);
  await Promise.all(names.map(async name => retain(db, name, (await indexesOf(db, name)) ?? [], days)));
}

/** It looks before it makes: nearly always all is there, and one question does. */
async function ensureCollection<T extends object>(
  db: Db,
  collection: Collection<T>,
  wanted: readonly Index[],
  retentionDays: number | undefined,
): Promise<void> {
  const name = collection.collectionName;
  const found = await indexesOf(db, name);
  if (found === undefined)
    await db.createCollection(name, { writeConcern: STORED }).catch((error: unknown) => {
      if (!isExisting(error)) throw error;
    });
  // One of the name with other fields is not it: the server refuses it by both names.
  const isThere = (one: Index): boolean => found?.some(other => isSame(one, other)) === true;
  const missing = wanted.filter(one => !isThere(one));
  if (missing.length > 0) await collection.createIndexes(missing.map(({ name, key }) => ({ name, key: { ...key } })));
  await retain(db, name, found ?? [], retentionDays);
}

type FoundIndex = Pick<IndexDescriptionInfo, "name" | "key" | "expireAfterSeconds">;

function isSame(wanted: Index, found: FoundIndex): boolean {
  return wanted.name === found.name && JSON.stringify(wanted.key) === JSON.stringify(found.key);
}

/** `undefined` where there is no such collection. */
async function indexesOf(db: Db, name: string): Promise<readonly FoundIndex[] | undefined> {
  try {
    return await db.collection(name).indexes();
  } catch (error) {
    if (isMissingCollection(error)) return undefined;
    throw error;
  }
}

const SECONDS_A_DAY = 86_400;

async function retain(db: Db, name: string, indexes: readonly FoundIndex[], days: number | undefined): Promise<void> {
  const found = indexes.find(index => index.name === RETENTION);
  if (days === undefined) {
    if (found !== undefined) await dropRetention(db, name);
    return;
  }
  const expireAfterSeconds = Math.ceil(days * SECONDS_A_DAY);
  if (found?.expireAfterSeconds === expireAfterSeconds) return;
  // The role readWrite may not change an index, and may make one.
  if (found !== undefined) await dropRetention(db, name);
  await db.collection(name).createIndex({ receivedAt: 1 }, { name: RETENTION, expireAfterSeconds });
}

async function dropRetention(db: Db, name: string): Promise<void> {
  await db
    .collection(name)
    .dropIndex(RETENTION)
    .catch((error: unknown) => {
      if (!isMissingIndex(error)) throw error;
    });
}
