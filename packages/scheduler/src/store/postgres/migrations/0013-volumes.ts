import { sql, type Kysely } from "kysely";

/**
 * Which node holds which volume. The rows outlive deployments and tenants, so they refer to
 * neither; one goes when its node has said that the data is gone. `lease_until` is how long an
 * exclusive copy may run, for people to see.
 */
export async function volumes(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE TABLE volumes (
  id text PRIMARY KEY,
  tenant_id text NOT NULL,
  deployment_id text NOT NULL,
  name text NOT NULL,
  serial bigint NOT NULL,
  node_id text NOT NULL,
  created_at bigint NOT NULL,
  used_at bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('kept', 'removing'))
)`,
  "CREATE INDEX volumes_by_deployment ON volumes (deployment_id)",
  "CREATE INDEX volumes_by_node ON volumes (node_id)",
  "CREATE INDEX volumes_by_tenant ON volumes (tenant_id)",
  "ALTER TABLE deployment_locations ADD COLUMN lease_until timestamptz",
];
