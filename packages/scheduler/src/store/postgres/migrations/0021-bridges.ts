import { sql, type Kysely } from "kysely";

/**
 * Which copy of each exclusive deployment may run while the records are not the fleet's. It refers
 * to nothing: the records may know neither the deployment nor the node. `until` is in ms.
 */
export async function bridges(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `CREATE TABLE bridges (
  deployment_id text PRIMARY KEY,
  node_id text NOT NULL DEFAULT '',
  instance_id text NOT NULL DEFAULT '',
  epoch integer NOT NULL DEFAULT 0,
  until bigint NOT NULL DEFAULT 0
)`,
    )
    .execute(db);
}
