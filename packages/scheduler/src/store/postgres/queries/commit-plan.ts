import type { Change, Plan } from "@skep/core/world/plan.ts";
import type { CommitResult } from "../../store.ts";
import { ask, askOne, constraintOf, stateOf, type Queryable } from "../sql.ts";

/** The function is `functions/commit-plan.ts`. */
const COMMIT = {
  name: "commit-plan",
  text: "SELECT node_id, assignment_revision FROM commit_plan_1($1, $2, $3)",
};

/** See `PlanStore.commit`. */
export async function commitPlan(db: Queryable, plan: Plan, term: number, now: number): Promise<CommitResult> {
  try {
    const values = [JSON.stringify(byKind(plan)), term, now];
    const rows = await ask<{ node_id: string; assignment_revision: number }>(db, COMMIT, values);
    return { kind: "committed", revisions: new Map(rows.map(row => [row.node_id, row.assignment_revision])) };
  } catch (error) {
    const because = whyStale(error);
    if (because === undefined) throw error;
    return { kind: "stale", because };
  }
}

function byKind(plan: Plan): Partial<Record<Change["kind"], readonly Change[]>> {
  return Object.groupBy(plan.changes, change => change.kind);
}

function whyStale(error: unknown): string | undefined {
  if (stateOf(error) === "SKSTL" && error instanceof Error) return String((error.cause as Error).message);
  const constraint = constraintOf(error);
  if (constraint === "location_ports_one_user") return "a host port was taken meanwhile";
  if (constraint === "instances_pkey" || constraint === "deployment_locations_pkey") {
    return "an instance or location of that number is there already";
  }
  if (constraint === "instances_deployment_id_fkey") return "a deployment is gone";
  return undefined;
}

/** The lease's row is only locked against a new leader; that it is another's or has ended shows as no row at all. */
const RAISE = {
  name: "raise-revisions",
  text: `
WITH lease AS MATERIALIZED (SELECT term FROM leases
  WHERE name = 'scheduler' AND term = $2 AND expires_at > clock_timestamp() FOR SHARE),
locked AS MATERIALIZED (SELECT node_id FROM node_metadata WHERE node_id = ANY ($1) AND EXISTS (SELECT FROM lease)
  ORDER BY node_id FOR NO KEY UPDATE),
raised AS (UPDATE node_metadata n SET assignment_revision = n.assignment_revision + 1
  FROM locked l WHERE n.node_id = l.node_id RETURNING n.node_id, n.assignment_revision)
SELECT EXISTS (SELECT FROM lease) AS leads, (SELECT json_object_agg(node_id, assignment_revision) FROM raised) AS revisions`,
};

/** See `PlanStore.raiseRevisions`. */
export async function raiseRevisions(db: Queryable, nodeIds: readonly string[], term: number): Promise<CommitResult> {
  const row = await askOne<{ leads: boolean; revisions: Record<string, number> | null }>(db, RAISE, [nodeIds, term]);
  if (!row.leads) return { kind: "stale", because: `the lease of term ${term} has ended` };
  return { kind: "committed", revisions: new Map(Object.entries(row.revisions ?? {})) };
}
