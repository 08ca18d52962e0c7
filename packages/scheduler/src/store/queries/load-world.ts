import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { World } from "@skep/core/decide/world.ts";
import { toDeployment, toInstance, toLocation, toNode, toTenant } from "../rows.ts";
import {
  LOCATION_COLUMNS,
  NODE_COLUMNS,
  type DeploymentRow,
  type InstanceRow,
  type LocationRow,
  type NodeRow,
  type TenantRow,
} from "../tables.ts";
import { ask, askOne, type Queryable } from "../sql.ts";

interface WorldRow {
  tenants: TenantRow[];
  nodes: NodeRow[];
  deployments: DeploymentRow[];
  releases: { deployment_id: string; number: number; uid: number }[];
  specs: { uid: number; spec: DeploymentSpec }[];
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
  ${list(`SELECT r.deployment_id, r.number, r.uid FROM releases r WHERE
    EXISTS (SELECT FROM deployments d WHERE d.id = r.deployment_id AND d.release = r.number) OR
    EXISTS (SELECT FROM instances i WHERE i.deployment_id = r.deployment_id AND i.release = r.number)`)} AS releases,
  ${list("SELECT uid, spec FROM releases WHERE uid > $1")} AS specs,
  ${list("SELECT * FROM instances")} AS instances,
  ${list(`SELECT ${LOCATION_COLUMNS.join(", ")} FROM deployment_locations`)} AS locations,
  coalesce((SELECT placements FROM leases WHERE name = 'scheduler'), 0) AS placements`,
};

const SPECS = { name: "load-specs", text: "SELECT uid, spec FROM releases WHERE uid = ANY ($1)" };

/**
 * See `PlanStore.loadWorld`. Releases never change and their specs are the bulk of a world, so each spec is read once: `known`
 * keeps them by the number that no two releases ever share.
 */
export async function loadWorld(db: Queryable, known: Map<number, DeploymentSpec>): Promise<World> {
  const row = await askOne<WorldRow>(db, LOAD, [highest(known)]);
  for (const { uid, spec } of row.specs) known.set(uid, spec);
  // Numbers are given out before they become visible, so a smaller one can appear later than a greater one.
  const late = row.releases.filter(release => !known.has(release.uid)).map(release => release.uid);
  if (late.length > 0) {
    for (const { uid, spec } of await ask<{ uid: number; spec: DeploymentSpec }>(db, SPECS, [late]))
      known.set(uid, spec);
  }
  const named = new Set(row.releases.map(release => release.uid));
  for (const uid of known.keys()) if (!named.has(uid)) known.delete(uid);
  return {
    tenants: row.tenants.map(toTenant),
    nodes: row.nodes.map(toNode),
    deployments: row.deployments.map(toDeployment),
    releases: row.releases.flatMap(({ deployment_id: deploymentId, number, uid }) => {
      const spec = known.get(uid);
      return spec === undefined ? [] : [{ deploymentId, number, spec }];
    }),
    instances: row.instances.map(toInstance),
    locations: row.locations.map(toLocation),
    placements: row.placements,
  };
}

function highest(known: ReadonlyMap<number, DeploymentSpec>): number {
  let most = 0;
  for (const uid of known.keys()) most = Math.max(most, uid);
  return most;
}
