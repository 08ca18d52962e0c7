import type { Deployment, DeploymentId, Release } from "../model/deployment.ts";
import type { Instance, InstanceId, Location, ReleasedPort } from "../model/instance.ts";
import type { Node, NodeId } from "../model/node.ts";
import type { Tenant, TenantId } from "../model/tenant.ts";
import type { Volume, VolumeOwner } from "../model/volume.ts";
import { oncePer } from "./once-per.ts";
import type { Change } from "./plan.ts";
import type { World } from "./world.ts";

/** Some of the deployments. */
export type Some = Pick<ReadonlySet<DeploymentId>, "has">;

/**
 * A world under change, indexed. Each pass of `decide` sees what the passes before it changed,
 * which is what makes the whole plan its own fixpoint. It lives only inside one call.
 */
export interface Draft {
  readonly now: number;
  /** The world that it was opened on. */
  readonly world: World;
  /**
   * The deployments whose records it holds; `undefined` for all. Of the others it has no release,
   * instance or location. Volumes it has all: several deployments may mount one.
   */
  readonly awake: Some | undefined;
  readonly tenants: Map<TenantId, Tenant>;
  readonly nodes: Map<NodeId, Node>;
  readonly deployments: Map<DeploymentId, Deployment>;
  /** Releases of each deployment that has any; see `findRelease`. */
  readonly releases: Map<DeploymentId, readonly Release[]>;
  readonly instances: Map<InstanceId, Instance>;
  /** Locations of each instance that has any, oldest epoch first. */
  readonly locations: Map<InstanceId, Location[]>;
  releasedPorts: readonly ReleasedPort[];
  /** Volumes of the owners of which one was changed; see `volumesOwnedBy`. */
  readonly volumes: Map<VolumeOwner, readonly Volume[]>;
  placements: number;
  /** Until when a copy may run that no row shows; see `World`. */
  readonly unseen: ReadonlyMap<InstanceId, number>;
  /**
   * Latest placement made in this draft on each node that got one; it goes into the nodes when the
   * draft is closed.
   */
  readonly lastPlaced: Map<NodeId, number>;
  readonly changes: Change[];
}

/**
 * Indexes a world, or what `awake` names of it, so that it can be changed; the world itself stays
 * as it is.
 */
export function openDraft(world: World, now: number, awake?: Some): Draft {
  const own = <T extends { readonly deploymentId: DeploymentId }>(items: readonly T[]): readonly T[] =>
    awake === undefined ? items : items.filter(item => awake.has(item.deploymentId));
  const deployments = awake === undefined ? world.deployments : world.deployments.filter(one => awake.has(one.id));
  const locations = listed(own(world.locations), location => location.instanceId);
  for (const list of locations.values()) if (list.length > 1) list.sort((a, b) => a.epoch - b.epoch);
  return {
    now,
    world,
    awake,
    tenants: indexed(world.tenants),
    nodes: indexed(world.nodes),
    deployments: indexed(deployments),
    releases: listed(own(world.releases), release => release.deploymentId),
    instances: indexed(own(world.instances)),
    locations,
    releasedPorts: world.releasedPorts,
    volumes: new Map(),
    placements: world.placements,
    unseen: world.unseen ?? new Map<InstanceId, number>(),
    lastPlaced: new Map(),
    changes: [],
  };
}

/** The draft as a world again; it holds all of it. */
export function closeDraft(draft: Draft): World {
  return {
    tenants: [...draft.tenants.values()],
    nodes: Array.from(draft.nodes.values(), node => {
      const lastPlaced = draft.lastPlaced.get(node.id);
      return lastPlaced === undefined ? node : { ...node, lastPlaced };
    }),
    deployments: [...draft.deployments.values()],
    releases: flat(draft.releases.values()),
    instances: [...draft.instances.values()],
    locations: flat(draft.locations.values()),
    releasedPorts: draft.releasedPorts,
    volumes: volumesIn(draft),
    placements: draft.placements,
    ...(draft.unseen.size === 0 ? {} : { unseen: draft.unseen }),
  };
}

/** Locations of an instance, oldest epoch first; empty when there is none. */
export function locationsOf(draft: Draft, instanceId: InstanceId): readonly Location[] {
  return draft.locations.get(instanceId) ?? [];
}

/** A release by its number; `undefined` where the record is missing. */
export function findRelease(draft: Draft, deploymentId: DeploymentId, number: number): Release | undefined {
  // A deployment has one or two that are in use: no index is as quick.
  return draft.releases.get(deploymentId)?.find(release => release.number === number);
}

/** The release an instance is a copy of; `undefined` where the record is missing. */
export function releaseOf(draft: Draft, instance: Instance): Release | undefined {
  return findRelease(draft, instance.deploymentId, instance.release);
}

/** By owner, for each list of volumes that a world had: most worlds have that of the one before. */
const ownedIn = oncePer((volumes: readonly Volume[]) => listed(volumes, volume => volume.owner));

/** The volumes of an owner as the draft stands. */
export function volumesOwnedBy({ volumes, world }: Draft, owner: VolumeOwner): readonly Volume[] {
  const changed = volumes.get(owner);
  if (changed !== undefined) return changed;
  return ownedIn(world.volumes).get(owner) ?? [];
}

/** All volumes as the draft stands. */
export function volumesIn({ volumes, world }: Draft): readonly Volume[] {
  if (volumes.size === 0) return world.volumes;
  return [...world.volumes.filter(one => !volumes.has(one.owner)), ...volumes.values()].flat();
}

/** `flat` takes several times as long, and worlds are large. */
function flat<T>(lists: Iterable<readonly T[]>): readonly T[] {
  const all: T[] = [];
  for (const list of lists) for (const item of list) all.push(item);
  return all;
}

function indexed<T extends { readonly id: string }>(items: readonly T[]): Map<string, T> {
  const index = new Map<string, T>();
  for (const item of items) index.set(item.id, item);
  return index;
}

/** The items by key, each list in the order of the items. */
export function listed<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const lists = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const known = lists.get(key);
    if (known === undefined) lists.set(key, [item]);
    else known.push(item);
  }
  return lists;
}
