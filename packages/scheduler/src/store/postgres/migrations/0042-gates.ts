import { sql, type Kysely } from "kysely";

/**
 * At which broker the devices of a workspace are, once they were sent to another one than its mode
 * says, and what gates have open of it.
 */
export async function gates(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE TABLE workspace_brokers (
  workspace_id text PRIMARY KEY REFERENCES workspaces ON DELETE CASCADE,
  side text NOT NULL CHECK (side IN ('shared', 'own')),
  serial bigint NOT NULL,
  switched_at bigint NOT NULL
)`,
  `CREATE TABLE gates (
  gate_id text PRIMARY KEY,
  seq bigint NOT NULL,
  places jsonb NOT NULL,
  seen_at bigint NOT NULL
)`,
];
