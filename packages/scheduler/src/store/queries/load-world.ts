import type { World } from "@skep/core/decide/world.ts";
import { toDeployment, toInstance, toLocation, toNode, toRelease, toTenant } from "../rows.ts";
import {
  LOCATION_COLUMNS,
  NODE_COLUMNS,
  type DeploymentRow,
  type InstanceRow,
  type LocationRow,
  type NodeRow,
  type ReleaseRow,
  type TenantRow,
} from "../tables.ts";
import { askOne, type Queryable } from "../sql.ts";

interface WorldRow {
  tenants: TenantRow[];
  nodes: NodeRow[];
  deployments: DeploymentRow[];
  releases: ReleaseRow[];
  instances: InstanceRow[];
  locations: LocationRow[];
  placements: number;
}

const list = (query: string): string => `(SELECT coalesce(json_agg(x), '[]') FROM (${query}) x)`;

/** A node counts from the day its agent first came until it has left the Swarm and nothing of it is left here. */
const COUNTED_NODES = `SELECT ${NODE_COLUMNS.join(", ")} FROM node_metadata
  WHERE session_id IS NOT NULL AND NOT (swarm_state = 'removed' AND liveness = 'down' AND deployment_count = 0)`;

/** One statement is one snapshot: no row of it is younger than another. */
const LOAD = {
  name: "load-world",
  text: `SELECT ${list("SELECT * FROM tenants")} AS tenants,
  ${list(COUNTED_NODES)} AS nodes,
  ${list("SELECT * FROM deployments")} AS deployments,
  ${list(`SELECT r.deployment_id, r.number, r.spec FROM releases r WHERE
    EXISTS (SELECT FROM deployments d WHERE d.id = r.deployment_id AND d.release = r.number) OR
    EXISTS (SELECT FROM instances i WHERE i.deployment_id = r.deployment_id AND i.release = r.number)`)} AS releases,
  ${list("SELECT * FROM instances")} AS instances,
  ${list(`SELECT ${LOCATION_COLUMNS.join(", ")} FROM deployment_locations`)} AS locations,
  coalesce((SELECT placements FROM leases WHERE name = 'scheduler'), 0) AS placements`,
};

/** See `PlanStore.loadWorld`. */
export async function loadWorld(db: Queryable): Promise<World> {
  const row = await askOne<WorldRow>(db, LOAD, []);
  return {
    tenants: row.tenants.map(toTenant),
    nodes: row.nodes.map(toNode),
    deployments: row.deployments.map(toDeployment),
    releases: row.releases.map(toRelease),
    instances: row.instances.map(toInstance),
    locations: row.locations.map(toLocation),
    placements: row.placements,
  };
}
