import { sql, type Kysely } from "kysely";

/**
 * A route belongs to the release whose labels describe it: an update must not reroute what still
 * runs.
 */
export async function routesOfReleases(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "ALTER TABLE deployment_routing ADD COLUMN release integer",
  "UPDATE deployment_routing r SET release = d.release FROM deployments d WHERE d.id = r.deployment_id",
  "ALTER TABLE deployment_routing ALTER COLUMN release SET NOT NULL",
  "ALTER TABLE deployment_routing DROP CONSTRAINT deployment_routing_pkey",
  "ALTER TABLE deployment_routing ADD PRIMARY KEY (deployment_id, release, router)",
];
