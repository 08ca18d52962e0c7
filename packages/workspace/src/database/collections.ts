import type { Binary, Collection, CollectionOptions, Db, IndexSpecification } from "mongodb";
import type { MessageDocument } from "../message.ts";
import { STORED } from "./connection.ts";
import { isExisting, isMissingIndex } from "./failure.ts";

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
  readonly key: IndexSpecification;
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
    ensureCollection(db, collections.messages, MESSAGE_INDEXES),
    ensureCollection(db, collections.deadLetters, LETTER_INDEXES),
  ]);
  await ensureRetention(db, retentionDays);
  return collections;
}

/** Keeps messages and dead letters for so long; for ever where it is `undefined`. */
export async function ensureRetention(db: Db, days: number | undefined): Promise<void> {
  await Promise.all(Object.values(COLLECTION_NAMES).map(name => retain(db, name, days)));
}

async function ensureCollection<T extends object>(
  db: Db,
  collection: Collection<T>,
  indexes: readonly Index[],
): Promise<void> {
  await db.createCollection(collection.collectionName, { writeConcern: STORED }).catch((error: unknown) => {
    if (!isExisting(error)) throw error;
  });
  await collection.createIndexes(indexes.map(({ name, key }) => ({ name, key: { ...(key as object) } })));
}

const SECONDS_A_DAY = 86_400;

async function retain(db: Db, name: string, days: number | undefined): Promise<void> {
  const collection = db.collection(name);
  const found = (await collection.indexes()).find(index => index.name === RETENTION);
  if (days === undefined) {
    if (found !== undefined) await dropRetention(db, name);
    return;
  }
  const expireAfterSeconds = Math.ceil(days * SECONDS_A_DAY);
  if (found?.expireAfterSeconds === expireAfterSeconds) return;
  // The role readWrite may not change an index, and may make one.
  if (found !== undefined) await dropRetention(db, name);
  await collection.createIndex({ receivedAt: 1 }, { name: RETENTION, expireAfterSeconds });
}

async function dropRetention(db: Db, name: string): Promise<void> {
  await db
    .collection(name)
    .dropIndex(RETENTION)
    .catch((error: unknown) => {
      if (!isMissingIndex(error)) throw error;
    });
}
