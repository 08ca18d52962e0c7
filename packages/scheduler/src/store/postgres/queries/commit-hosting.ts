import {
  whyHostingStale,
  type HostingBasis,
  type HostingPlan,
  type RecordedHost,
  type RecordedWorkspace,
} from "@skep/core/workspace/hosting-plan.ts";
import type pg from "pg";
import { leaseEnded, type Stale } from "../../commit-result.ts";
import type { Mandate } from "../../mandate.ts";
import { constraintOf, inTransaction, type Queryable } from "../sql.ts";
import { holdsLease } from "./lease.ts";
import { LOCATION, toLocation, type LocationJson } from "./located.ts";
import { writeMoves } from "./moves.ts";

/** Of a workspace: how core's `hostedAs` has it wanted. */
export const HOSTED_DESIRED = "CASE WHEN data = 'remove' THEN 'run' ELSE desired END AS desired";

/**
 * In this order, as reports do: the lease, hosts by id, workspaces by id, locations. Whoever waits
 * for one of them sees with its next statement what the other has written.
 */
const LOCK_HOSTS = `SELECT host_id AS id, renewals FROM workspace_hosts WHERE host_id = ANY ($1)
  OR host_id IN (SELECT host_id FROM workspace_locations WHERE workspace_id = ANY ($2)) ORDER BY host_id FOR UPDATE`;
const LOCK_WORKSPACES = `SELECT id, ${HOSTED_DESIRED}, epoch FROM workspaces WHERE id = ANY ($1) ORDER BY id FOR UPDATE`;
const LOCATIONS = `SELECT ${LOCATION} FROM workspace_locations WHERE workspace_id = ANY ($1) OR host_id = ANY ($2)`;

const STEPS = `SELECT workspace_id AS "workspaceId", step, stage FROM workspace_moves WHERE workspace_id = ANY ($1)`;

/** One that no host ever had has no data. */
const REMEMBER = `INSERT INTO workspace_remains (workspace_id, tenant_id, dropped_at)
  SELECT id, tenant_id, $2 FROM workspaces WHERE id = ANY ($1) AND data = 'keep' AND epoch > 0
  ON CONFLICT (workspace_id) DO UPDATE SET tenant_id = excluded.tenant_id, dropped_at = excluded.dropped_at`;
const FORGET = `DELETE FROM workspace_remains r USING workspaces w
  WHERE w.id = ANY ($1) AND w.data = 'removed' AND r.workspace_id = w.id`;

/** Each by the array of its changes; what ends comes before what is placed in its stead. */
const WRITES = {
  raise: `UPDATE workspace_hosts SET revision = revision + 1 WHERE host_id = ANY (
    SELECT p ->> 'hostId' FROM jsonb_array_elements($1) p WHERE p ->> 'kind' = 'place'
    UNION SELECT l.host_id FROM workspace_locations l JOIN jsonb_array_elements($1) p
      ON l.workspace_id = p ->> 'workspaceId' AND l.epoch = (p ->> 'epoch')::bigint
    UNION SELECT l.host_id FROM workspace_locations l JOIN jsonb_array_elements($1) p
      ON p ->> 'kind' = 'place' AND l.workspace_id = p ->> 'workspaceId')`,
  forget: `DELETE FROM workspace_locations l USING jsonb_array_elements($1) p
    WHERE p ->> 'kind' = 'forget' AND l.workspace_id = p ->> 'workspaceId' AND l.epoch = (p ->> 'epoch')::bigint`,
  stop: `UPDATE workspace_locations l SET desired = 'stop', changed_at = $2 FROM jsonb_array_elements($1) p
    WHERE p ->> 'kind' = 'stop' AND l.workspace_id = p ->> 'workspaceId' AND l.epoch = (p ->> 'epoch')::bigint`,
  place: `INSERT INTO workspace_locations (workspace_id, epoch, host_id, role, desired, state, placed_at, changed_at)
    SELECT p ->> 'workspaceId', (p ->> 'epoch')::bigint, p ->> 'hostId', coalesce(p ->> 'role', 'reader'), 'run',
      'assigned', $2, $2
    FROM jsonb_array_elements($1) p WHERE p ->> 'kind' = 'place'`,
  count: `UPDATE workspaces w SET epoch = (p ->> 'epoch')::bigint, waiting = '' FROM jsonb_array_elements($1) p
    WHERE p ->> 'kind' = 'place' AND w.id = p ->> 'workspaceId'`,
  rotate: `UPDATE workspace_hosts h SET last_placed = greatest(h.last_placed, g.placement)
    FROM (SELECT p ->> 'hostId' AS host_id, max((p ->> 'placement')::bigint) AS placement
      FROM jsonb_array_elements($1) p WHERE p ->> 'kind' = 'place' GROUP BY 1) g WHERE h.host_id = g.host_id`,
  wait: `UPDATE workspaces w SET waiting = p ->> 'because' FROM jsonb_array_elements($1) p
    WHERE p ->> 'kind' = 'wait' AND w.id = p ->> 'workspaceId'`,
};

/** See `HostingStore.commitHosting`. */
export async function commitHosting(
  db: Queryable,
  plan: HostingPlan,
  mandate: Mandate,
  now: number,
): Promise<{ readonly kind: "committed" } | Stale> {
  try {
    return await inTransaction(db, async connection => {
      if (!(await holdsLease(connection, mandate))) return leaseEnded(mandate);
      const because = await whyNot(connection, plan);
      if (because !== undefined) return { kind: "stale", because };
      await writeAll(connection, plan, now);
      return { kind: "committed" };
    });
  } catch (error) {
    if (constraintOf(error) !== "workspace_locations_one_owner") throw error;
    return { kind: "stale", because: "a workspace has an owner that nobody looked at" };
  }
}

async function whyNot(connection: pg.PoolClient, plan: HostingPlan): Promise<string | undefined> {
  const moving = (plan.moves ?? []).map(one => one.move.workspaceId);
  const ids = [...new Set([...plan.changes.map(one => one.workspaceId), ...plan.gone, ...moving])];
  const placedOn = plan.changes.flatMap(one => (one.kind === "place" ? [one.hostId] : []));
  const hosts = await connection.query<Pick<RecordedHost, "id" | "renewals">>(LOCK_HOSTS, [
    [...placedOn, ...plan.lost],
    ids,
  ]);
  const workspaces = await connection.query<Pick<RecordedWorkspace, "id" | "desired" | "epoch">>(LOCK_WORKSPACES, [
    ids,
  ]);
  const located = await connection.query<LocationJson>(LOCATIONS, [ids, plan.lost]);
  const moves = await connection.query<HostingBasis["moves"][number]>(STEPS, [ids]);
  const locations = located.rows.map(toLocation);
  const basis: HostingBasis = { hosts: hosts.rows, workspaces: workspaces.rows, locations, moves: moves.rows };
  return whyHostingStale(basis, plan);
}

async function writeAll(connection: pg.PoolClient, plan: HostingPlan, now: number): Promise<void> {
  const changes = JSON.stringify(plan.changes);
  for (const text of Object.values(WRITES)) {
    await connection.query(text, text.includes("$2") ? [changes, now] : [changes]);
  }
  await writeMoves(connection, plan.moves ?? [], now);
  await connection.query(REMEMBER, [plan.gone, now]);
  await connection.query(FORGET, [plan.gone]);
  await connection.query("DELETE FROM workspaces WHERE id = ANY ($1)", [plan.gone]);
  await connection.query("DELETE FROM workspace_hosts WHERE host_id = ANY ($1)", [plan.lost]);
}
