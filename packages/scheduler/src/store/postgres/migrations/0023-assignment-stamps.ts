import { sql, type Kysely } from "kysely";

/**
 * Stamps of the latest revisions of a node's assignment, the current one's last. The trigger of
 * `functions/assignment-stamps.ts` keeps them; revisions from before it have none.
 */
export async function assignmentStamps(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`ALTER TABLE node_metadata ADD COLUMN assignment_stamps integer[] NOT NULL DEFAULT '{}'`).execute(db);
}
