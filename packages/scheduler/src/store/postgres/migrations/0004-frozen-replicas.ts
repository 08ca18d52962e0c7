import { sql, type Kysely } from "kysely";

/**
 * What the leader tells of itself gets whether it holds everything still, so that every replica can
 * say so.
 */
export async function frozenReplicas(db: Kysely<unknown>): Promise<void> {
  await sql.raw("ALTER TABLE replicas ADD COLUMN is_frozen boolean NOT NULL DEFAULT false").execute(db);
}
