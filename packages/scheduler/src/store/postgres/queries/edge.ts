import { toLocation, toNode, toRoute } from "../rows.ts";
import { ask, askOne, listOf, type Queryable } from "../sql.ts";
import type { Edge } from "../../store.ts";
import { IDENTITY, toIdentity } from "./identity.ts";
import { HALVES, REACH } from "./reach.ts";
import type { WorkspaceReach } from "@skep/core/workspace/reach.ts";
import {
  LOCATION_COLUMNS,
  NODE_COLUMNS,
  type LocationRow,
  type NodeRow,
  type PlatformRow,
  type RouteRow,
} from "../tables.ts";

/**
 * Only what can be routed to: locations of routed deployments that run, and no route of a deleted
 * deployment.
 */
const LOAD = {
  name: "load-edge",
  text: `SELECT
  (SELECT coalesce(json_agg(r), '[]') FROM deployment_routing r JOIN deployments d ON d.id = r.deployment_id
    WHERE d.desired <> 'deleted') AS routes,
  ${listOf(`SELECT ${LOCATION_COLUMNS.join(", ")} FROM deployment_locations
    WHERE is_live(status) AND deployment_id IN (SELECT deployment_id FROM deployment_routing)`)} AS locations,
  ${listOf(`SELECT ${NODE_COLUMNS.join(", ")} FROM node_metadata WHERE session_id IS NOT NULL`)} AS nodes,
  ${listOf(`${REACH} ORDER BY l.workspace_id`)} AS workspaces,
  ${listOf(`${HALVES} ORDER BY l.workspace_id`)} AS halves,
  coalesce((SELECT term FROM leases WHERE name = 'scheduler'), 0)::bigint AS term, ${IDENTITY} AS platform`,
};

/** See `EdgeStore.loadEdge`. */
export async function loadEdge(db: Queryable): Promise<Edge> {
  const row = await askOne<EdgeRow>(db, LOAD, []);
  return {
    routes: row.routes.map(toRoute),
    locations: row.locations.map(toLocation),
    nodes: row.nodes.map(toNode),
    workspaces: [...row.workspaces, ...row.halves.map(one => ({ ...one, isHalf: true as const }))],
    identity: toIdentity(row.platform),
    term: row.term,
  };
}

interface EdgeRow {
  readonly routes: RouteRow[];
  readonly locations: LocationRow[];
  readonly nodes: NodeRow[];
  readonly workspaces: WorkspaceReach[];
  readonly halves: WorkspaceReach[];
  readonly platform: PlatformRow | null;
  readonly term: number;
}

const USAGE = {
  name: "load-usage",
  text: `SELECT instance_id AS "instanceId", epoch, (resource_usage ->> 'cpuMillis')::float8 AS "cpuMillis",
  (resource_usage ->> 'memoryBytes')::float8 AS "memoryBytes"
FROM deployment_locations WHERE instance_id = ANY ($1) AND resource_usage IS NOT NULL ORDER BY instance_id, epoch`,
};

/** See `SpecStore.loadUsage`. */
export async function loadUsage(
  db: Queryable,
  instanceIds: readonly string[],
): Promise<readonly { instanceId: string; epoch: number; cpuMillis: number; memoryBytes: number }[]> {
  return ask(db, USAGE, [instanceIds]);
}
