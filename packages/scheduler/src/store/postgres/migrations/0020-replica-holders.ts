import { sql, type Kysely } from "kysely";

/**
 * A replica tells the name that it takes the lease by, so that who leads is read from the lease and
 * not from what a dead one told last.
 */
export async function replicaHolders(db: Kysely<unknown>): Promise<void> {
  await sql.raw("ALTER TABLE replicas ADD COLUMN holder text NOT NULL DEFAULT ''").execute(db);
}
