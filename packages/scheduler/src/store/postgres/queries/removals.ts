import type { CommitResult, Mandate, NodeRemoval } from "../../store.ts";
import { ask, askOne, type Queryable } from "../sql.ts";
import { leasePart } from "./lease.ts";

const SAVE = {
  name: "save-removals",
  text: `
WITH ${leasePart("$2", "$4")},
given AS (SELECT * FROM jsonb_to_recordset($1) AS g("nodeId" text, "instanceId" text, epoch integer, because text)),
locked AS MATERIALIZED (SELECT node_id FROM node_metadata WHERE node_id IN (SELECT "nodeId" FROM given)
  AND EXISTS (SELECT FROM lease) ORDER BY node_id FOR NO KEY UPDATE),
saved AS (INSERT INTO removals (node_id, instance_id, epoch, because, at)
  SELECT l.node_id, g."instanceId", g.epoch, g.because, $3 FROM given g JOIN locked l ON l.node_id = g."nodeId"
  ON CONFLICT DO NOTHING RETURNING node_id),
raised AS (UPDATE node_metadata n SET assignment_revision = n.assignment_revision + 1
  WHERE n.node_id IN (SELECT node_id FROM saved) RETURNING n.node_id, n.assignment_revision)
SELECT EXISTS (SELECT FROM lease) AS leads, (SELECT json_object_agg(node_id, assignment_revision) FROM raised) AS revisions`,
};

/** See `PlanStore.saveRemovals`. */
export async function saveRemovals(
  db: Queryable,
  removals: readonly NodeRemoval[],
  { term, holder }: Mandate,
  now: number,
): Promise<CommitResult> {
  const row = await askOne<{ leads: boolean; revisions: Record<string, number> | null }>(db, SAVE, [
    JSON.stringify(removals),
    term,
    now,
    holder,
  ]);
  if (!row.leads) return { kind: "stale", because: `the lease of term ${term} has ended` };
  return { kind: "committed", revisions: new Map(Object.entries(row.revisions ?? {})) };
}

const LOAD = {
  name: "load-removals",
  text: `SELECT node_id AS "nodeId", instance_id AS "instanceId", epoch, because FROM removals ORDER BY 1, 2, 3`,
};

/** See `PlanStore.loadRemovals`. */
export function loadRemovals(db: Queryable): Promise<readonly NodeRemoval[]> {
  return ask<NodeRemoval & Record<string, unknown>>(db, LOAD, []);
}
