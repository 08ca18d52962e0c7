import { sql, type Kysely } from "kysely";

/** The key that each node's agent brought when it first joined, and which of them are revoked. */
export async function nodeKeys(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `CREATE TABLE node_keys (
  node_id text PRIMARY KEY,
  public_key text NOT NULL,
  joined_at bigint NOT NULL,
  revoked_at bigint
)`,
    )
    .execute(db);
}
