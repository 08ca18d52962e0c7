import { sql, type Kysely } from "kysely";

/**
 * Hosts, and which workspace is on which. Reports write what hosts say; the leader writes
 * `revision`, `last_placed`, and which locations there are and what is wanted of them. `renewals`
 * counts the leases that a host was given.
 */
export async function hosting(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE TABLE workspace_hosts (
  host_id text PRIMARY KEY,
  node_id text NOT NULL,
  workspace_id text,
  started_at bigint NOT NULL,
  version text NOT NULL,
  availability text NOT NULL CHECK (availability IN ('active', 'drain')),
  most integer NOT NULL,
  connections bigint NOT NULL,
  messages_per_second float8 NOT NULL,
  memory_share float8 NOT NULL,
  seq bigint NOT NULL,
  renewals bigint NOT NULL DEFAULT 0,
  applied_term bigint NOT NULL,
  applied_revision bigint NOT NULL,
  seen_at bigint NOT NULL,
  revision bigint NOT NULL DEFAULT 0,
  last_placed bigint NOT NULL DEFAULT 0
)`,
  // It refers to no workspace: a location outlives whatever somebody does there.
  `CREATE TABLE workspace_locations (
  workspace_id text NOT NULL,
  epoch bigint NOT NULL,
  host_id text NOT NULL REFERENCES workspace_hosts,
  desired text NOT NULL CHECK (desired IN ('run', 'stop')),
  state text NOT NULL CHECK (state IN ('assigned', 'running', 'stopped')),
  healthy boolean NOT NULL DEFAULT false,
  counts jsonb NOT NULL DEFAULT '{}',
  last_error text NOT NULL DEFAULT '',
  placed_at bigint NOT NULL,
  changed_at bigint NOT NULL,
  PRIMARY KEY (workspace_id, epoch)
)`,
  "CREATE UNIQUE INDEX workspace_locations_one_owner ON workspace_locations (workspace_id) WHERE state <> 'stopped'",
  "CREATE INDEX workspace_locations_by_host ON workspace_locations (host_id)",
  `ALTER TABLE platform ADD COLUMN host_key text NOT NULL
  DEFAULT replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')`,
];
