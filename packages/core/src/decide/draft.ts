import type { Deployment, DeploymentId, Release } from "../model/deployment.ts";
import type { Instance, InstanceId, Location } from "../model/instance.ts";
import type { Node, NodeId } from "../model/node.ts";
import type { Tenant, TenantId } from "../model/tenant.ts";
import type { Change } from "./plan.ts";
import type { World } from "./world.ts";

/**
 * A world under change, indexed. Each pass of `decide` sees what the passes before it changed, which is what makes
 * the whole plan its own fixpoint. It lives only inside one call.
 */
export interface Draft {
  readonly now: number;
  readonly tenants: Map<TenantId, Tenant>;
  readonly nodes: Map<NodeId, Node>;
  readonly deployments: Map<DeploymentId, Deployment>;
  /** Keyed by `releaseKey`. */
  readonly releases: Map<string, Release>;
  readonly instances: Map<InstanceId, Instance>;
  /** Locations of each instance that has any, oldest epoch first. */
  readonly locations: Map<InstanceId, Location[]>;
  placements: number;
  /** Latest placement made in this draft on each node that got one; it goes into the nodes when the draft is closed. */
  readonly lastPlaced: Map<NodeId, number>;
  readonly changes: Change[];
}

/** Key of a release in a draft. */
export function releaseKey(deploymentId: DeploymentId, number: number): string {
  return `${deploymentId}#${number}`;
}

/** Indexes a world so that it can be changed; the world itself stays as it is. */
export function openDraft(world: World, now: number): Draft {
  const locations = new Map<InstanceId, Location[]>();
  for (const location of world.locations) {
    const known = locations.get(location.instanceId);
    if (known === undefined) locations.set(location.instanceId, [location]);
    else known.push(location);
  }
  for (const list of locations.values()) if (list.length > 1) list.sort((a, b) => a.epoch - b.epoch);
  return {
    now,
    tenants: new Map(world.tenants.map(tenant => [tenant.id, tenant])),
    nodes: new Map(world.nodes.map(node => [node.id, node])),
    deployments: new Map(world.deployments.map(deployment => [deployment.id, deployment])),
    releases: new Map(world.releases.map(release => [releaseKey(release.deploymentId, release.number), release])),
    instances: new Map(world.instances.map(instance => [instance.id, instance])),
    locations,
    placements: world.placements,
    lastPlaced: new Map(),
    changes: [],
  };
}

/** The draft as a world again. */
export function closeDraft(draft: Draft): World {
  return {
    tenants: [...draft.tenants.values()],
    nodes: Array.from(draft.nodes.values(), node => {
      const lastPlaced = draft.lastPlaced.get(node.id);
      return lastPlaced === undefined ? node : { ...node, lastPlaced };
    }),
    deployments: [...draft.deployments.values()],
    releases: [...draft.releases.values()],
    instances: [...draft.instances.values()],
    locations: [...draft.locations.values()].flat(),
    placements: draft.placements,
  };
}

/** Locations of an instance, oldest epoch first; empty when there is none. */
export function locationsOf(draft: Draft, instanceId: InstanceId): readonly Location[] {
  return draft.locations.get(instanceId) ?? [];
}

/** The release an instance is a copy of; `undefined` where the record is missing. */
export function releaseOf(draft: Draft, instance: Instance): Release | undefined {
  return draft.releases.get(releaseKey(instance.deploymentId, instance.release));
}
