import { sql, type Kysely } from "kysely";
import { ASSIGNMENT_STAMPS } from "./assignment-stamps.ts";
import { COMMIT_PLAN } from "./commit-plan.ts";
import { DOMAINS_FREED } from "./domains-freed.ts";
import { IS_LIVE } from "./is-live.ts";
import { LOCATION_BOOKKEEPING } from "./location-bookkeeping.ts";
import { QUOTA_HOLDS } from "./quota-holds.ts";
import { SERIALS } from "./serials.ts";
import { WORLD_CHANGES } from "./world-changes.ts";

/** In the order of their use: a function stands after those that it calls. */
const SOURCES: readonly string[] = [
  IS_LIVE,
  LOCATION_BOOKKEEPING,
  QUOTA_HOLDS,
  DOMAINS_FREED,
  SERIALS,
  ASSIGNMENT_STAMPS,
  COMMIT_PLAN,
  ...WORLD_CHANGES,
];

/** Any number that nothing else in this database locks by. */
const LOCK = 7_700_001;

/**
 * Makes every stored function and trigger anew, after the numbered migrations. Each text is a
 * transaction of its own and has the triggers of one table, so that it never waits for a second
 * table while it holds the first. One replica does it at a time.
 * @throws the database's error; the texts before the one that failed are made.
 */
export async function createFunctions<T>(db: Kysely<T>): Promise<void> {
  await db.connection().execute(async connection => {
    await sql`SELECT pg_advisory_lock(${LOCK})`.execute(connection);
    try {
      for (const source of SOURCES) await sql.raw(source).execute(connection);
    } finally {
      await sql`SELECT pg_advisory_unlock(${LOCK})`.execute(connection);
    }
  });
}
