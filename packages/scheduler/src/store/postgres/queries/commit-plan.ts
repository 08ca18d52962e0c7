import { randomInt } from "node:crypto";
import { volumeKey } from "@skep/core/model/volume.ts";
import type { Change, Plan } from "@skep/core/world/plan.ts";
import type { Committed, Stale } from "../../commit-result.ts";
import type { Mandate } from "../../mandate.ts";
import { ask, constraintOf, stateOf, type Queryable } from "../sql.ts";

/** What a column of `integer[]` holds. */
const MOST_STAMP = 2 ** 31;

/** The function is `functions/commit-plan.ts`. */
const COMMIT = {
  name: "commit-plan",
  text: "SELECT node_id, assignment_revision FROM commit_plan_2($1, $2, $3, $4)",
};

/** See `PlanStore.commit`. */
export async function commitPlan(db: Queryable, plan: Plan, mandate: Mandate, now: number): Promise<Committed | Stale> {
  const stamp = randomInt(1, MOST_STAMP);
  try {
    const values = [JSON.stringify({ ...byKind(plan), basis: plan.basis, stamp }), mandate.term, mandate.holder, now];
    const rows = await ask<{ node_id: string; assignment_revision: number }>(db, COMMIT, values);
    return { kind: "committed", revisions: new Map(rows.map(row => [row.node_id, row.assignment_revision])), stamp };
  } catch (error) {
    const because = whyStale(error);
    if (because === undefined) throw error;
    return { kind: "stale", because };
  }
}

function byKind(plan: Plan): Partial<Record<Change["kind"], readonly Change[]>> {
  return Object.groupBy(plan.changes.map(withId), change => change.kind);
}

/** A volume's row has the text of what names it as its key. */
function withId(change: Change): Change {
  if (change.kind !== "create-volume" && change.kind !== "leave-volume") return change;
  return { ...change, volume: Object.assign({}, change.volume, { id: volumeKey(change.volume) }) };
}

function whyStale(error: unknown): string | undefined {
  if (stateOf(error) === "SKSTL" && error instanceof Error) return String((error.cause as Error).message);
  const constraint = constraintOf(error);
  if (constraint === "location_ports_one_user") return "a host port was taken meanwhile";
  if (constraint === "released_ports_wait") return "a host port has to wait before another may have it";
  if (constraint === "instances_pkey" || constraint === "deployment_locations_pkey") {
    return "an instance or location of that number is there already";
  }
  if (constraint === "volumes_pkey") return "a volume of that number is there already";
  if (constraint === "instances_deployment_id_fkey") return "a deployment is gone";
  return undefined;
}
