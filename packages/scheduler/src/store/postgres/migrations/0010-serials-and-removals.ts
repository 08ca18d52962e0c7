import { sql, type Kysely } from "kysely";

/**
 * Numbers that survive the deletion of their deployment, so that no instance's id ever comes twice,
 * and the removals that nodes have been told of. `functions/serials.ts` keeps the numbers.
 */
export async function serialsAndRemovals(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE TABLE serials (
  deployment_id text PRIMARY KEY,
  next integer NOT NULL,
  gap_from integer,
  gap_to integer
)`,
  "INSERT INTO serials (deployment_id, next) SELECT id, next_serial FROM deployments",
  `CREATE TABLE removals (
  node_id text NOT NULL,
  instance_id text NOT NULL,
  epoch integer NOT NULL,
  because text NOT NULL,
  at bigint NOT NULL,
  PRIMARY KEY (node_id, instance_id, epoch)
)`,
];
