import { sql, type Kysely } from "kysely";

/**
 * Versions of rules and schemas. A row never changes; one without a document says that it was
 * deleted, so that no number is given twice. `rules_version` of a workspace grows with each of
 * them: its host asks for the rules where it knows another one.
 */
export async function workspaceRules(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "ALTER TABLE workspaces ADD COLUMN rules_version bigint NOT NULL DEFAULT 0",
  `CREATE TABLE workspace_rules (
  workspace_id text NOT NULL REFERENCES workspaces ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('rule', 'schema')),
  reference text NOT NULL,
  version bigint NOT NULL,
  document jsonb,
  created_at bigint NOT NULL,
  created_by text NOT NULL,
  PRIMARY KEY (workspace_id, kind, reference, version)
)`,
];
