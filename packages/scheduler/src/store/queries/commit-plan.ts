import type { Change, Plan } from "@skep/core/decide/plan.ts";
import type { CommitResult } from "../store.ts";
import { ask, constraintOf, stateOf, type Queryable } from "../sql.ts";

/** The function is `migrations/0003-commit-plan.ts`. */
const COMMIT = {
  name: "commit-plan",
  text: "SELECT node_id, assignment_revision FROM commit_plan_1($1, $2, $3)",
};

const KINDS: readonly Change["kind"][] = [
  "create-instance",
  "stop-instance",
  "place",
  "refuse",
  "defer",
  "retire",
  "stop",
  "lose",
  "forget-location",
  "forget-instance",
  "forget-deployment",
];

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

function byKind(plan: Plan): Record<string, Change[]> {
  const kinds: Record<string, Change[]> = Object.fromEntries(KINDS.map(kind => [kind, []]));
  for (const change of plan.changes) kinds[change.kind]?.push(change);
  return kinds;
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
