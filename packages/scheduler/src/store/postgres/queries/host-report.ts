import { COUNTS } from "@skep/core/workspace/container.ts";
import type { HostReport } from "@skep/core/workspace/host-report.ts";
import type { MoveFacts } from "@skep/core/workspace/move.ts";
import { takeReport, type HostOnRecord, type ReportedLocation } from "@skep/core/workspace/take-report.ts";
import type pg from "pg";
import type { SavedHostReport } from "../../hosting-store.ts";
import { inTransaction, type Queryable } from "../sql.ts";
import { toLocation, type LocationJson } from "./located.ts";

/**
 * The row is locked before its locations are read, in a statement of its own: what a commit has
 * ended while this one waited is seen as ended.
 */
const LOCK = `SELECT revision, seq, availability, workspace_id AS "workspaceId" FROM workspace_hosts
  WHERE host_id = $1 FOR UPDATE`;
const INCARNATION = "SELECT incarnation FROM platform";
const LOCATIONS = `SELECT workspace_id AS "workspaceId", host_id AS "hostId", epoch, desired, state, healthy, counts,
  last_error, role, move FROM workspace_locations WHERE host_id = $1`;

/** Two first reports of one host may come at once: the later one counts as a report like any. */
const WRITE = `INSERT INTO workspace_hosts AS h (host_id, node_id, workspace_id, started_at, version, availability, most,
    connections, messages_per_second, memory_share, seq, applied_term, applied_revision, seen_at, address, events_port, renewals)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1)
  ON CONFLICT (host_id) DO UPDATE SET node_id = excluded.node_id, started_at = excluded.started_at,
    version = excluded.version, availability = excluded.availability, most = excluded.most,
    connections = excluded.connections, messages_per_second = excluded.messages_per_second,
    memory_share = excluded.memory_share, seq = greatest(h.seq, excluded.seq), applied_term = excluded.applied_term,
    applied_revision = excluded.applied_revision, seen_at = excluded.seen_at,
    address = excluded.address, events_port = excluded.events_port, renewals = h.renewals + 1`;
/** A late report says nothing, and its answer is a lease all the same. */
const RENEW = "UPDATE workspace_hosts SET renewals = renewals + 1 WHERE host_id = $1";

const STATUSES = `UPDATE workspace_locations l SET state = g.state, healthy = g."isHealthy", counts = g.counts,
    last_error = g."lastError", move = g.move, changed_at = $3
  FROM jsonb_to_recordset($2) AS g("workspaceId" text, epoch bigint, state text, "isHealthy" boolean, counts jsonb,
    "lastError" text, move jsonb)
  WHERE l.host_id = $1 AND l.workspace_id = g."workspaceId" AND l.epoch = g.epoch AND l.state <> 'stopped'`;

const REMOVED = `UPDATE workspaces w SET data = 'removed'
  FROM jsonb_to_recordset($1) AS g("workspaceId" text, epoch bigint, state text, counts jsonb)
  JOIN workspace_locations l ON l.workspace_id = g."workspaceId" AND l.epoch = g.epoch AND l.host_id = $2
  WHERE w.id = g."workspaceId" AND w.epoch = g.epoch AND w.data = 'remove' AND g.state = 'running'
    AND (g.counts ->> '${COUNTS.dataRemoved}')::float8 = 1`;

type HostRow = Omit<HostOnRecord, "workspaceId"> & { readonly workspaceId: string | null };
type LocationRow = Omit<ReportedLocation, "isHealthy" | "counts" | "lastError" | "role" | "move"> & {
  readonly role: LocationJson["role"];
  readonly move: MoveFacts | null;
  readonly healthy: boolean;
  readonly counts: unknown;
  readonly last_error: string;
};

/** See `HostingStore.saveHostReport`. */
export async function saveHostReport(
  db: Queryable,
  report: HostReport,
  holdMs: number,
  now: number,
): Promise<SavedHostReport> {
  return inTransaction(db, async connection => {
    const host = await lockHost(connection, report.hostId);
    const { rows } = await connection.query<{ incarnation: string }>(INCARNATION);
    const terms = { holdMs, incarnation: rows[0]?.incarnation ?? "" };
    const located = await connection.query<LocationRow>(LOCATIONS, [report.hostId]);
    const taken = takeReport(host, located.rows.map(toReported), report, terms);
    const { answer, isNewest, statuses, changed } = taken;
    if (answer.anew !== "") return { answer, changed };
    if (isNewest) await connection.query(WRITE, valuesOf(report, now));
    else await connection.query(RENEW, [report.hostId]);
    if (statuses.some(one => one.counts[COUNTS.dataRemoved] === 1))
      await connection.query(REMOVED, [JSON.stringify(statuses), report.hostId]);
    if (statuses.length > 0) await connection.query(STATUSES, [report.hostId, JSON.stringify(statuses), now]);
    return { answer, changed };
  });
}

async function lockHost(connection: pg.PoolClient, hostId: string): Promise<HostOnRecord | undefined> {
  const { rows } = await connection.query<HostRow>(LOCK, [hostId]);
  const [row] = rows;
  return row === undefined ? undefined : { ...row, workspaceId: row.workspaceId ?? undefined };
}

function toReported({ healthy, counts, last_error: lastError, ...rest }: LocationRow): ReportedLocation {
  return { ...toLocation(rest), isHealthy: healthy, counts: toCounts(counts), lastError };
}

/** Numbers by name; anything else that somebody wrote there is left out. */
export function toCounts(json: unknown): Readonly<Record<string, number>> {
  if (typeof json !== "object" || json === null) return {};
  return Object.fromEntries(
    Object.entries(json).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
}

function valuesOf(report: HostReport, now: number): unknown[] {
  const { hostId, nodeId, workspaceId = null, startedAt, version, availability, most, load, seq, applied } = report;
  return [
    ...[hostId, nodeId, workspaceId, startedAt, version, availability, most],
    ...[Math.round(load.connections), load.messagesPerSecond, load.memoryShare],
    ...[seq, applied.term, applied.revision, now, report.address, report.eventsPort],
  ];
}
