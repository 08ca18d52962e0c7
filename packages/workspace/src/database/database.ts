import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { systemClock, type Clock } from "@skep/kit/clock.ts";
import type { Db } from "mongodb";
import type { Database } from "../parts.ts";
import { ensureCollections, ensureRetention, type Collections } from "./collections.ts";
import { DEFAULT_POOL, type Connections } from "./connection.ts";
import { connectionFailure, operationFailure, wordsOf } from "./failure.ts";
import { hold, type Held } from "./held.ts";
import { keysPage } from "./keys.ts";
import { countAll, exportAll, latestKeys, type PortableDatabase } from "./portable.ts";
import { queryModels, type QueryModels } from "./models/models.ts";
import { databaseName, databaseOfUrl } from "./name.ts";
import { createGate } from "./query/gate.ts";
import { createSizeLimit, type SizeLimit, type Weight } from "./size.ts";
import { createStoring } from "./storing.ts";

/** Where a workspace's database is and what bounds it. */
export interface DatabaseOptions {
  readonly workspaceId: WorkspaceId;
  readonly url: string;
  /**
   * Set where the address is the tenant's own (R85): it may lead to the Internet and to these hosts
   * only, and the database that it names is used.
   */
  readonly allowedHosts?: readonly string[];
  /** Most connections; 10 where it is absent (R93). */
  readonly poolSize?: number;
  /** What it may grow to (R86). */
  readonly megabytes: number;
  /** Days that messages are kept; for ever where it is absent. */
  readonly retentionDays?: number;
  /** The clients of the process, which its databases share. */
  readonly connections: Connections;
  readonly clock?: Clock;
}

/** What a database may be changed to while it works (R66). */
export interface DatabaseChange {
  /** Most connections. */
  readonly poolSize?: number;
  /** Megabytes that it may grow to. */
  readonly maxSize?: number;
  /** Days that messages are kept, or for ever. */
  readonly retentionDays?: number | "for ever";
}

/** The database of one workspace, with what may be asked of it. */
export interface WorkspaceDatabase extends Database, QueryModels {
  /** How its content gets to another database. */
  readonly portable: PortableDatabase;
  /** Rescales it; nothing that is being stored is lost or stored twice. */
  setDatabase(change: DatabaseChange): Promise<void>;
  /** Deletes all of it, for ever. A tenant's own database stays as it is. */
  destroy(): Promise<void>;
}

/** Questions of one workspace at once. */
const MOST_QUESTIONS = 3;

/**
 * Connects a workspace's database and makes what is missing in it (R51). Rejects with the text of
 * R143 and the true cause.
 */
export async function openDatabase(options: DatabaseOptions): Promise<WorkspaceDatabase> {
  const { url, allowedHosts, poolSize = DEFAULT_POOL } = options;
  const target = { url, poolSize, ...(allowedHosts === undefined ? {} : { allowedHosts }) };
  const own = allowedHosts === undefined ? undefined : databaseOfUrl(url);
  const name = own ?? databaseName(options.workspaceId);
  const held = await hold(options.connections, name, target);
  const dbOf = (): Db => held.connection().client.db(name);
  try {
    await ensureCollections(dbOf(), options.retentionDays);
  } catch (error) {
    await held.close();
    throw connectionFailure(error);
  }
  const size = createSizeLimit(() => measure(dbOf()), options.megabytes, options.clock ?? systemClock);
  return assemble(held, size, dbOf, allowedHosts === undefined);
}

/** `isOurs`: the database may be deleted. */
function assemble(held: Held, size: SizeLimit, dbOf: () => Db, isOurs: boolean): WorkspaceDatabase {
  const storing = createStoring(held, size);
  const own = createGate(MOST_QUESTIONS);
  const asked = { queries: 0, queriesFailed: 0 };

  async function ask<T>(work: (collections: Collections) => Promise<T>): Promise<T> {
    asked.queries += 1;
    try {
      return await own.pass(() => held.use((all, { questions }) => questions.pass(() => work(all))));
    } catch (error) {
      asked.queriesFailed += 1;
      throw operationFailure("The query", error);
    }
  }

  return {
    ...queryModels(ask),
    store: storing.store,
    bury: storing.bury,
    recall: storing.recall,
    portable: {
      keysPage: (name, window, after) => held.use(all => keysPage(all, name, window, after)),
      importAll: storing.importAll,
      exportAll: (name, keys) => held.use(all => exportAll(all, name, keys)),
      latest: (name, since) => whileHeld(held, all => latestKeys(all, name, since)),
      count: () => held.use(countAll),
    },
    health: () => ({
      isConnected: held.connection().isWritable(),
      lastError: wordsOf(held.connection().lastError() || storing.lastFailure()),
    }),
    counts: () => {
      const { bytes, limit, isFull } = size.state();
      const scale = { bytes, limitBytes: limit, isFull: Number(isFull), poolSize: held.target().poolSize };
      return { ...storing.counts(), ...asked, ...scale };
    },
    setDatabase: change => rescale(held, size, dbOf, change),
    async destroy() {
      const gone = held.use(async () => (isOurs ? dbOf().dropDatabase() : false));
      await gone.catch((error: unknown) => {
        throw operationFailure("Deleting the database", error);
      });
    },
    close: () => held.close(),
  };
}

/** Works on the collections for as long as somebody takes what comes of it. */
async function* whileHeld<T>(held: Held, work: (collections: Collections) => AsyncIterable<T>): AsyncGenerator<T> {
  const done = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<Collections>();
  const holding = held.use(async all => {
    begun.resolve(all);
    await done.promise;
  });
  holding.catch(begun.reject);
  try {
    yield* work(await begun.promise);
  } finally {
    done.resolve();
    await holding.catch(() => undefined);
  }
}

async function rescale(
  held: Held,
  size: SizeLimit,
  dbOf: () => Db,
  { poolSize, maxSize, retentionDays }: DatabaseChange,
): Promise<void> {
  if (poolSize !== undefined) refuseNumber("poolSize", poolSize, MOST_POOL);
  if (maxSize !== undefined) refuseNumber("maxSize", maxSize, Number.MAX_SAFE_INTEGER);
  if (typeof retentionDays === "number") refuseNumber("retentionDays", retentionDays, MOST_DAYS);
  if (poolSize !== undefined) await held.exchange(poolSize);
  if (maxSize !== undefined) size.setLimit(maxSize);
  if (retentionDays !== undefined) await keepFor(held, dbOf, retentionDays === "for ever" ? undefined : retentionDays);
}

async function keepFor(held: Held, dbOf: () => Db, days: number | undefined): Promise<void> {
  try {
    await held.use(() => ensureRetention(dbOf(), days));
  } catch (error) {
    throw operationFailure("Changing how long messages are kept", error);
  }
}

async function measure(db: Db): Promise<Weight> {
  const stats = await db.stats();
  return { bytes: Number(stats.dataSize) + Number(stats.indexSize), documents: Number(stats.objects) };
}

const MOST_POOL = 500;
const MOST_DAYS = 36_500;

function refuseNumber(name: string, value: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
  const says = `${name} is ${value}; use a whole number from 1 to ${most}.`;
  throw new SkepError("invalid_argument", "DATABASE_CHANGE_INVALID", says);
}
