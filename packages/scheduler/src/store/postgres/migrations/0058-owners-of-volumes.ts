import { sql, type Kysely } from "kysely";

/**
 * Volumes belong to projects: what named the deployment names the owner, which for a deployment of
 * no project is its id, as before. A volume whose node is away can be left behind.
 */
export async function ownersOfVolumes(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "ALTER TABLE volumes RENAME COLUMN deployment_id TO owner",
  "ALTER INDEX volumes_by_deployment RENAME TO volumes_by_owner",
  "ALTER TABLE volumes DROP CONSTRAINT volumes_state_check",
  "ALTER TABLE volumes ADD CONSTRAINT volumes_state_check CHECK (state IN ('kept', 'left', 'removing'))",
];
