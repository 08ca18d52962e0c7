import { sql, type Kysely } from "kysely";

/**
 * How much room scaling gave to a workspace, and when. The leader's loop writes both; they raise no
 * version, since nobody wanted the change.
 */
export async function scaledWorkspaces(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw("ALTER TABLE workspaces ADD COLUMN instances integer NOT NULL DEFAULT 1, ADD COLUMN scaled_at bigint")
    .execute(db);
}
