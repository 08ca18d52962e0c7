import { sql, type Kysely } from "kysely";

/**
 * Moves of workspaces between modes, the latest of each. While one moves, two hosts have a half of
 * it; one of them reads at most, and the other one stands by.
 */
export async function workspaceMoves(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE TABLE workspace_moves (
  workspace_id text PRIMARY KEY REFERENCES workspaces ON DELETE CASCADE,
  from_mode text NOT NULL CHECK (from_mode IN ('shared', 'standalone')),
  to_mode text NOT NULL CHECK (to_mode IN ('shared', 'standalone')),
  stage text NOT NULL,
  step bigint NOT NULL,
  started_at bigint NOT NULL,
  since bigint NOT NULL,
  copied bigint NOT NULL,
  copied_at bigint NOT NULL,
  lost_at bigint,
  abort text NOT NULL,
  because text NOT NULL
)`,
  `ALTER TABLE workspace_locations
  ADD COLUMN role text NOT NULL DEFAULT 'reader' CHECK (role IN ('reader', 'standby')), ADD COLUMN move jsonb`,
  "DROP INDEX workspace_locations_one_owner",
  `CREATE UNIQUE INDEX workspace_locations_one_owner ON workspace_locations (workspace_id)
  WHERE state <> 'stopped' AND role = 'reader'`,
  `CREATE UNIQUE INDEX workspace_locations_one_half ON workspace_locations (workspace_id, host_id)
  WHERE state <> 'stopped'`,
];
