import { sql, type Kysely } from "kysely";

/**
 * What is wrong with the pod of a workspace, for people: the leader's keeper of pods writes it,
 * and it raises no version, since nobody wanted the change.
 */
export async function podProblems(db: Kysely<unknown>): Promise<void> {
  await sql.raw("ALTER TABLE workspaces ADD COLUMN pod_problem text NOT NULL DEFAULT ''").execute(db);
}
