import { sql, type Kysely } from "kysely";

/**
 * What becomes of a workspace's data as it is deleted, and whose data stayed: nobody else gets a
 * workspace of that id. How much room scaling gave to a workspace, and when: the leader's loop
 * writes both, and they raise no version, since nobody wanted the change.
 */
export async function scaledWorkspaces(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "ALTER TABLE workspaces ADD COLUMN instances integer NOT NULL DEFAULT 1, ADD COLUMN scaled_at bigint",
  `ALTER TABLE workspaces ADD COLUMN data text NOT NULL DEFAULT 'keep'
  CHECK (data IN ('keep', 'remove', 'removed'))`,
  `CREATE TABLE workspace_remains (
  workspace_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  dropped_at bigint NOT NULL
)`,
];
