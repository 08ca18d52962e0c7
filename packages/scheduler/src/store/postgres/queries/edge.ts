import type { Location } from "@skep/core/model/instance.ts";
import type { Node } from "@skep/core/model/node.ts";
import type { Route } from "@skep/core/model/routing.ts";
import { toLocation, toNode, toRoute } from "../rows.ts";
import { ask, askOne, type Queryable } from "../sql.ts";
import { LOCATION_COLUMNS, NODE_COLUMNS, type LocationRow, type NodeRow, type RouteRow } from "../tables.ts";

/** Only what can be routed to: locations of routed deployments that run, and no route of a deleted deployment. */
const LOAD = {
  name: "load-edge",
  text: `SELECT
  (SELECT coalesce(json_agg(r), '[]') FROM deployment_routing r JOIN deployments d ON d.id = r.deployment_id
    WHERE d.desired <> 'deleted') AS routes,
  (SELECT coalesce(json_agg(x), '[]') FROM (SELECT ${LOCATION_COLUMNS.join(", ")} FROM deployment_locations
    WHERE is_live(status) AND deployment_id IN (SELECT deployment_id FROM deployment_routing)) x) AS locations,
  (SELECT coalesce(json_agg(x), '[]') FROM (SELECT ${NODE_COLUMNS.join(", ")} FROM node_metadata WHERE session_id IS NOT NULL) x) AS nodes`,
};

/** See `EdgeStore.loadEdge`. */
export async function loadEdge(db: Queryable): Promise<{
  readonly routes: readonly Route[];
  readonly locations: readonly Location[];
  readonly nodes: readonly Node[];
}> {
  const row = await askOne<{ routes: RouteRow[]; locations: LocationRow[]; nodes: NodeRow[] }>(db, LOAD, []);
  return { routes: row.routes.map(toRoute), locations: row.locations.map(toLocation), nodes: row.nodes.map(toNode) };
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
