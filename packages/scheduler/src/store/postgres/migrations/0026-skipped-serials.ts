import { sql, type Kysely } from "kysely";

/**
 * Numbers that a name skipped because something that is left alone has one that was never given.
 * They stand beside the gap of a recovery, which replicas from before them know by its columns.
 */
export async function skippedSerials(db: Kysely<unknown>): Promise<void> {
  await sql.raw("ALTER TABLE serials ADD COLUMN skipped int4multirange NOT NULL DEFAULT '{}'").execute(db);
}
