import type { Kysely } from "kysely";
import { Migrator, type Migration } from "kysely/migration";
import { records } from "./0001-records.ts";
import { bookkeeping } from "./0002-bookkeeping.ts";
import { commitPlan } from "./0003-commit-plan.ts";
import { frozenReplicas } from "./0004-frozen-replicas.ts";
import { worldChanges } from "./0005-world-changes.ts";
import { indexes } from "./0006-indexes.ts";

/** In order of their names. A migration that has been released is never changed: the next one corrects it. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-records": { up: records },
  "0002-bookkeeping": { up: bookkeeping },
  "0003-commit-plan": { up: commitPlan },
  "0004-frozen-replicas": { up: frozenReplicas },
  "0005-world-changes": { up: worldChanges },
  "0006-indexes": { up: indexes },
};

/**
 * Brings the database to this version's shape, forward only. Any number of replicas may call it at once: a lock in the
 * database lets one do the work while the others wait and then find nothing to do.
 * @throws the database's error; nothing of a failed migration remains.
 */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
