import { canBecome, INSTANCE_STATES } from "@skep/core/model/state.ts";
import { latest, type StatusReport } from "../../reports.ts";
import type { SavedReport } from "../../store.ts";
import { askOne, type Queryable } from "../sql.ts";

/**
 * The node's row is taken first: two reports of one node wait for each other there, and so does a
 * commit.
 */
const SAVE = {
  name: "save-report",
  text: `
WITH known AS (SELECT reported_full, report_seq FROM node_metadata WHERE node_id = $1 AND session_id = $2),
node AS (
  UPDATE node_metadata SET report_seq = $3, reported_full = reported_full OR $4, seen_at = $5
  WHERE node_id = $1 AND session_id = $2 AND report_seq < $3 RETURNING reported_full),
saved AS (
  UPDATE deployment_locations l SET status = r.state, health_status = r.health, containers = r.containers,
    message = r.message, address = r.address, changed_at = CASE WHEN o.status = r.state THEN o.changed_at ELSE $5 END
  FROM node, deployment_locations o, jsonb_to_recordset($6) AS r("instanceId" text, epoch integer, state text,
    "from" jsonb, health text, containers jsonb, message text, address text)
  WHERE l.instance_id = r."instanceId" AND l.epoch = r.epoch AND l.node_id = $1 AND r."from" ? l.status
    AND o.instance_id = l.instance_id AND o.epoch = l.epoch
  RETURNING o.status <> l.status OR o.health_status <> l.health_status
    OR o.address IS DISTINCT FROM l.address AS changed),
removed AS (
  DELETE FROM removals m USING node, jsonb_to_recordset($7) AS g("instanceId" text, epoch integer)
  WHERE m.node_id = $1 AND m.instance_id = g."instanceId" AND m.epoch = g.epoch)
SELECT EXISTS (SELECT FROM known) AS accepted, EXISTS (SELECT FROM known WHERE report_seq <= $3) AS fresh,
  coalesce((SELECT reported_full FROM node), (SELECT reported_full FROM known), false) AS reported_full,
  EXISTS (SELECT FROM saved WHERE changed) AS changed`,
};

/** See `StatusStore.saveReport`. */
export async function saveReport(db: Queryable, report: StatusReport, now: number): Promise<SavedReport> {
  const statuses = [...latest(report).values()].map(status => ({
    ...status,
    from: INSTANCE_STATES.filter(state => canBecome(state, status.state)),
  }));
  const { nodeId, sessionId, seq, full, gone } = report;
  const values = [nodeId, sessionId, seq, full, now, JSON.stringify(statuses), JSON.stringify(gone)];
  const row = await askOne<{ accepted: boolean; reported_full: boolean; fresh: boolean; changed: boolean }>(
    db,
    SAVE,
    values,
  );
  return { accepted: row.accepted, needFull: !row.reported_full, fresh: row.fresh, changed: row.changed };
}
