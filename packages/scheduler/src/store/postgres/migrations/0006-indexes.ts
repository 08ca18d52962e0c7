import { sql, type Kysely } from "kysely";

/**
 * Decisions are read in the order of their time, of all or of one subject; lists of one tenant by
 * their tenant.
 */
export async function indexes(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "DROP INDEX decisions_by_time",
  "DROP INDEX decisions_by_deployment",
  "CREATE INDEX decisions_by_time ON decisions (at, id)",
  "CREATE INDEX decisions_by_deployment ON decisions (deployment_id, at, id)",
  "CREATE INDEX decisions_by_instance ON decisions (instance_id, at, id)",
  "CREATE INDEX instances_by_tenant ON instances (tenant_id, id)",
  "CREATE INDEX deployment_routing_by_tenant ON deployment_routing (tenant_id)",
];
