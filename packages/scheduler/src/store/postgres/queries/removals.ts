import { highestSerials } from "@skep/core/identity/serials.ts";
import type { Removal } from "@skep/core/model/assignment.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { leaseEnded, type Raised, type Stale } from "../../commit-result.ts";
import type { Mandate } from "../../mandate.ts";
import type { NodeRemoval, Orphan } from "../../store.ts";
import { ask, askOne, type Queryable } from "../sql.ts";
import { askLeading, leasePart } from "./lease.ts";

const SAVE = {
  name: "save-removals",
  text: `
WITH ${leasePart("$2", "$4")},
given AS (SELECT DISTINCT ON ("nodeId", "instanceId", epoch) *
  FROM jsonb_to_recordset($1) AS g("nodeId" text, "instanceId" text, epoch integer, because text)),
locked AS MATERIALIZED (SELECT node_id FROM node_metadata WHERE node_id IN (SELECT "nodeId" FROM given)
  AND EXISTS (SELECT FROM lease) ORDER BY node_id FOR NO KEY UPDATE),
saved AS (INSERT INTO removals (node_id, instance_id, epoch, because, at)
  SELECT l.node_id, g."instanceId", g.epoch, g.because, $3 FROM given g JOIN locked l ON l.node_id = g."nodeId"
  ON CONFLICT (node_id, instance_id, epoch) DO UPDATE SET because = excluded.because RETURNING node_id),
raised AS (UPDATE node_metadata n SET assignment_revision = n.assignment_revision + 1
  WHERE n.node_id IN (SELECT node_id FROM saved) RETURNING n.node_id, n.assignment_revision)
SELECT EXISTS (SELECT FROM lease) AS leads, (SELECT json_object_agg(node_id, assignment_revision) FROM raised) AS revisions`,
};

/** See `PlanStore.saveRemovals`. */
export async function saveRemovals(
  db: Queryable,
  removals: readonly NodeRemoval[],
  mandate: Mandate,
  now: number,
): Promise<Raised | Stale> {
  const row = await askOne<{ leads: boolean; revisions: Record<string, number> | null }>(db, SAVE, [
    JSON.stringify(removals),
    mandate.term,
    now,
    mandate.holder,
  ]);
  if (!row.leads) return leaseEnded(mandate);
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

const ORPHANS = {
  name: "save-orphans",
  text: `
WITH ${leasePart("$3", "$4")},
given AS (SELECT g.* FROM lease, jsonb_to_recordset($2) AS g("instanceId" text, epoch integer, because text)),
gone AS (DELETE FROM orphans o USING lease WHERE o.node_id = $1
  AND (o.instance_id, o.epoch) NOT IN (SELECT "instanceId", epoch FROM given)),
saved AS (INSERT INTO orphans (node_id, instance_id, epoch, because, since)
  SELECT $1, "instanceId", epoch, because, $5 FROM given
  ON CONFLICT (node_id, instance_id, epoch) DO UPDATE SET because = excluded.because),
skipped AS MATERIALIZED (SELECT f.id, serials_skip(f.id, f.highest) AS next
  FROM lease, jsonb_to_recordset($6) AS f(id text, highest integer)),
moved AS (UPDATE deployments d SET next_serial = s.next FROM skipped s WHERE d.id = s.id AND s.next IS NOT NULL)
SELECT EXISTS (SELECT FROM lease) AS leads, (SELECT count(s.next) FROM skipped s) AS skipped`,
};

/** See `PlatformStore.saveOrphans`. */
export async function saveOrphans(
  db: Queryable,
  nodeId: NodeId,
  orphans: readonly Removal[],
  mandate: Mandate,
  now: number,
): Promise<void> {
  const { term, holder } = mandate;
  const highest = [...highestSerials(orphans.map(one => one.instanceId))].map(([id, serial]) => ({
    id,
    highest: serial,
  }));
  const values = [nodeId, JSON.stringify(orphans), term, holder, now, JSON.stringify(highest)];
  await askLeading(db, ORPHANS, values, mandate);
}

const LIST = {
  name: "list-orphans",
  text: `SELECT node_id AS "nodeId", instance_id AS "instanceId", epoch, because, since FROM orphans ORDER BY 1, 2, 3`,
};

/** See `PlatformStore.listOrphans`. */
export function listOrphans(db: Queryable): Promise<readonly Orphan[]> {
  return ask<Orphan & Record<string, unknown>>(db, LIST, []);
}
