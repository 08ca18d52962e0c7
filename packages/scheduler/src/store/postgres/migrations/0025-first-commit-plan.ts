import { sql, type Kysely } from "kysely";

/**
 * Databases that began before `commit_plan_2` still have the function that it replaced. It compares
 * neither the holder of the lease nor the basis of a plan, so no old replica may go on with it.
 */
export async function firstCommitPlan(db: Kysely<unknown>): Promise<void> {
  await sql.raw("DROP FUNCTION IF EXISTS commit_plan_1").execute(db);
}
