import { sql, type Kysely } from "kysely";

/**
 * What workspaces tenants want. The id stands at the front of every topic, so it is unique in the
 * platform. Hosting writes `epoch` and `waiting`, and deletes the row of one that is `deleted` once
 * no host has it; the API writes the rest. `mode` is the connector's, for queries.
 */
export async function workspaces(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE TABLE workspaces (
  id text PRIMARY KEY,
  tenant_id text NOT NULL CONSTRAINT workspaces_tenant REFERENCES tenants,
  connector jsonb NOT NULL,
  purpose jsonb NOT NULL,
  mode text NOT NULL CHECK (mode IN ('shared', 'standalone')),
  strategy text NOT NULL CHECK (strategy IN ('least-loaded', 'round-robin')),
  desired text NOT NULL CHECK (desired IN ('run', 'stopped', 'deleted')),
  database_pool integer NOT NULL,
  scaling jsonb NOT NULL,
  restarts bigint NOT NULL,
  epoch bigint NOT NULL DEFAULT 0,
  waiting text NOT NULL DEFAULT '',
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
)`,
  "CREATE INDEX workspaces_by_tenant ON workspaces (tenant_id, id)",
];
