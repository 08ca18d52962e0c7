import { sql, type Kysely } from "kysely";

/**
 * Where the rules of workspaces may post to. The secret signs what is posted, so it is kept as it
 * is. `rules_version` of the workspace grows with each change.
 */
export async function workspaceWebhooks(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `CREATE TABLE workspace_webhooks (
  workspace_id text NOT NULL REFERENCES workspaces ON DELETE CASCADE,
  name text NOT NULL,
  url text NOT NULL,
  secret text NOT NULL,
  created_at bigint NOT NULL,
  created_by text NOT NULL,
  PRIMARY KEY (workspace_id, name)
)`,
    )
    .execute(db);
}
