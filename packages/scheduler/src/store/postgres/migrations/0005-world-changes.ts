import { sql, type Kysely } from "kysely";

/**
 * What changed, so that a scheduler that knows the world reads only that: `queries/load-world.ts`.
 * The triggers that write it are `functions/world-changes.ts`. Each entry has the number of its
 * transaction: whoever has a snapshot has seen every transaction below the snapshot's `xmin`, and
 * asks for the entries from there on. Entries that are pruned raise `world_horizon`; who asks for
 * older ones reads everything, and so does everybody after a TRUNCATE.
 */
export async function worldChanges(db: Kysely<unknown>): Promise<void> {
  await sql.raw(LOG).execute(db);
}

const LOG = `
CREATE TABLE world_changes (
  xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
  kind text NOT NULL,
  id text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX world_changes_by_xid ON world_changes (xid);
CREATE INDEX world_changes_by_time ON world_changes (at);
CREATE TABLE world_horizon (xid bigint NOT NULL);
INSERT INTO world_horizon VALUES (0);`;
