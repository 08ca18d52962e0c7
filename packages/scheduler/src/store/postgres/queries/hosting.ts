import { connectorFromStored } from "@skep/api/codec/stored/workspace.ts";
import type { AssignedWorkspace, HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { HostId } from "@skep/core/workspace/host.ts";
import { modeOfHost, moveOrder, peerFor } from "@skep/core/workspace/move.ts";
import type { HostingRecords, RecordedHost, RecordedWorkspace } from "@skep/core/workspace/hosting-plan.ts";
import type { SeenContainer } from "@skep/core/workspace/container.ts";
import type { HostingStore, HostLeases, MoveSettings } from "../../hosting-store.ts";
import { ask, askOne, listOf, type Queryable } from "../sql.ts";
import { commitHosting, HOSTED_DESIRED } from "./commit-hosting.ts";
import { saveHostReport, toCounts } from "./host-report.ts";
import { reachWorkspace } from "./reach.ts";
import { LOCATION, toLocation, type LocationJson } from "./located.ts";
import { MOVES, toMove, type MoveJson } from "./moves.ts";

/**
 * One statement is one snapshot. The shared hosts of a drained node give everything away; one in a
 * pod goes with its pod, which the tick takes care of.
 */
const LOAD = {
  name: "load-hosting",
  text: `SELECT
  ${listOf(`SELECT h.host_id AS id, h.node_id AS "nodeId", h.workspace_id AS "workspaceId", h.most, h.renewals,
    h.last_placed AS "lastPlaced", h.seen_at AS "seenAt", h.connections, h.messages_per_second, h.memory_share,
    CASE WHEN n.availability = 'drain' AND h.workspace_id IS NULL THEN 'drain' ELSE h.availability END AS availability
    FROM workspace_hosts h LEFT JOIN node_metadata n ON n.node_id = h.node_id ORDER BY h.host_id`)} AS hosts,
  ${listOf(`SELECT id, tenant_id AS "tenantId", CASE WHEN data = 'remove' THEN 'shared' ELSE mode END AS mode,
    ${HOSTED_DESIRED}, strategy, epoch, waiting FROM workspaces ORDER BY id`)} AS workspaces,
  ${listOf(`SELECT ${LOCATION} FROM workspace_locations ORDER BY workspace_id, epoch`)} AS locations,
  ${listOf(MOVES)} AS moves`,
};

const LEASES = {
  name: "count-host-leases",
  text: "SELECT host_id AS id, renewals FROM workspace_hosts ORDER BY host_id",
};

interface HostJson extends Omit<RecordedHost, "load" | "workspaceId"> {
  readonly workspaceId: string | null;
  readonly connections: number;
  readonly messages_per_second: number;
  readonly memory_share: number;
}

interface Loaded {
  readonly hosts: readonly HostJson[];
  readonly workspaces: readonly RecordedWorkspace[];
  readonly locations: readonly LocationJson[];
  readonly moves: readonly MoveJson[];
}

async function loadHosting(db: Queryable): Promise<HostingRecords> {
  const { hosts, workspaces, locations, moves } = await askOne<Loaded & Record<string, unknown>>(db, LOAD, []);
  return { hosts: hosts.map(toHost), workspaces, locations: locations.map(toLocation), moves: moves.map(toMove) };
}

function toHost(row: HostJson): RecordedHost {
  const { connections, messages_per_second: messagesPerSecond, memory_share: memoryShare, workspaceId, ...rest } = row;
  return { ...rest, workspaceId: workspaceId ?? undefined, load: { connections, messagesPerSecond, memoryShare } };
}

/** Where the other half of a workspace that moves is: on a host of the other kind. */
const PEER = `SELECT json_build_object('address', o.address, 'port', o.events_port)
  FROM workspace_locations p JOIN workspace_hosts o ON o.host_id = p.host_id
  WHERE p.workspace_id = m."workspaceId" AND p.state <> 'stopped' AND p.desired = 'run'
    AND (o.workspace_id IS NULL) <> (h.workspace_id IS NULL) ORDER BY p.epoch DESC LIMIT 1`;

const ASSIGNMENT = {
  name: "load-host-assignment",
  text: `SELECT h.revision, p.incarnation, h.workspace_id AS owner, h.address,
  coalesce((SELECT term FROM leases WHERE name = 'scheduler'), 0) AS term,
  ${listOf(`SELECT w.id, l.epoch, l.desired, w.connector, w.version, w.restarts, w.database_pool AS "databasePool",
    w.instances, w.data <> 'keep' AS "removesData", w.desired = 'deleted' AS "isDropped",
    w.rules_version AS "rulesVersion", l.role
    FROM workspace_locations l JOIN workspaces w ON w.id = l.workspace_id
    WHERE l.host_id = h.host_id AND l.state <> 'stopped' ORDER BY w.id, l.epoch`)} AS workspaces,
  ${listOf(`SELECT m.*, (${PEER}) AS peer FROM (${MOVES}) m JOIN workspace_locations l ON l.workspace_id = m."workspaceId"
    WHERE l.host_id = h.host_id AND l.state <> 'stopped'`)} AS moves
FROM workspace_hosts h, platform p WHERE h.host_id = $1`,
};

interface AssignmentRow {
  readonly revision: number;
  readonly incarnation: string;
  readonly term: number;
  /** The one workspace that the host may run. */
  readonly owner: string | null;
  readonly address: string;
  readonly workspaces: readonly (Omit<
    AssignedWorkspace,
    "connector" | "role" | "move" | "removesData" | "isDropped"
  > & {
    readonly connector: unknown;
    readonly removesData: boolean;
    readonly isDropped: boolean;
    readonly role: LocationJson["role"];
  })[];
  readonly moves: readonly (MoveJson & { readonly peer: { readonly address: string; readonly port: number } | null })[];
}

async function loadHostAssignment(
  db: Queryable,
  hostId: HostId,
  { times, edgePort }: MoveSettings = {},
): Promise<HostAssignment | undefined> {
  const [row] = await ask<AssignmentRow & Record<string, unknown>>(db, ASSIGNMENT, [hostId]);
  if (row === undefined) return undefined;
  const { revision, incarnation, term, workspaces, owner } = row;
  const mode = modeOfHost({ workspaceId: owner ?? undefined });
  const orders = new Map(
    row.moves.map(({ peer, ...move }) => [
      move.workspaceId,
      moveOrder(toMove(move), mode, peerFor(mode, { address: row.address, edgePort }, peer), times),
    ]),
  );
  return {
    ...{ hostId, incarnation, term, revision },
    workspaces: workspaces.map(({ role, removesData, isDropped, ...one }) => {
      const move = orders.get(one.id);
      return {
        ...{ ...one, connector: connectorFromStored(one.connector) },
        ...(role === "standby" ? { role } : {}),
        ...(removesData ? { removesData } : {}),
        ...(isDropped ? { isDropped } : {}),
        ...(move === undefined ? {} : { move }),
      };
    }),
  };
}

const LOCATE = {
  name: "locate-workspaces",
  text: `SELECT DISTINCT ON (l.workspace_id) l.workspace_id AS "workspaceId", l.host_id AS "hostId", l.epoch, l.desired,
  l.state, l.healthy, l.counts, l.last_error, h.node_id AS "nodeId", h.seen_at AS "reportedAt"
FROM workspace_locations l JOIN workspace_hosts h USING (host_id)
WHERE l.workspace_id = ANY ($1) ORDER BY l.workspace_id, l.role = 'standby', l.epoch DESC`,
};

type LocateRow = Omit<SeenContainer, "isHealthy" | "counts" | "lastError"> & {
  readonly healthy: boolean;
  readonly counts: unknown;
  readonly last_error: string;
};

async function locateWorkspaces(db: Queryable, ids: readonly string[]): Promise<ReadonlyMap<string, SeenContainer>> {
  const rows = await ask<LocateRow & Record<string, unknown>>(db, LOCATE, [ids]);
  return new Map(
    rows.map(({ healthy, counts, last_error: lastError, ...rest }) => [
      rest.workspaceId,
      { ...rest, isHealthy: healthy, counts: toCounts(counts), lastError },
    ]),
  );
}

const KEY = { name: "load-host-key", text: "SELECT host_key FROM platform" };

/** See `HostingStore`. */
export function createHosting(db: Queryable): HostingStore {
  return {
    loadHosting: () => loadHosting(db),
    countHostLeases: () => ask<HostLeases & Record<string, unknown>>(db, LEASES, []),
    commitHosting: (plan, mandate, now) => commitHosting(db, plan, mandate, now),
    saveHostReport: (report, holdMs, now) => saveHostReport(db, report, holdMs, now),
    loadHostAssignment: (hostId, moving) => loadHostAssignment(db, hostId, moving),
    locateWorkspaces: ids => locateWorkspaces(db, ids),
    reachWorkspace: id => reachWorkspace(db, id),
    loadHostKey: async () => (await askOne<{ host_key: string }>(db, KEY, [])).host_key,
  };
}
