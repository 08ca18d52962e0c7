import { hasVolumes, mountedVolumes, mountKey, volumesOf } from "../model/volume.ts";
import type { Volume } from "../model/volume.ts";
import type { AssignedInstance, Assignment, Removal } from "../model/assignment.ts";
import type { DeploymentSpec, Release } from "../model/deployment.ts";
import type { Instance, Location } from "../model/instance.ts";
import type { Node, NodeId } from "../model/node.ts";
import { isGone } from "../model/state.ts";
import type { World } from "./world.ts";

/** A location with what its agent has to know of it. */
export interface Assigned {
  readonly location: Location;
  readonly instance: Instance;
  readonly spec: DeploymentSpec;
}

/** Which records an assignment is made from, and in whose term. */
export type AssignmentOrigin = Pick<Assignment, "incarnation" | "succeeds" | "term">;

/**
 * What a node is told, from its records. A lost location is told to stop: its instance has been
 * given away. One that is gone (see `isGone`) is told nothing any more.
 */
export function assignmentOf(
  node: Node,
  { incarnation, succeeds, term }: AssignmentOrigin,
  assigned: readonly Assigned[],
  removals: readonly Removal[],
  volumes: readonly Volume[],
): Assignment {
  const here = volumes.filter(volume => volume.nodeId === node.id);
  const kept = here.filter(volume => volume.state === "kept");
  const instances = assigned
    .filter(({ location }) => location.nodeId === node.id && !isGone(location))
    .map(one => toAssigned(one, kept))
    .toSorted((a, b) => (a.instanceId === b.instanceId ? a.epoch - b.epoch : a.instanceId < b.instanceId ? -1 : 1));
  return {
    nodeId: node.id,
    ...{ incarnation, succeeds, term },
    revision: node.assignmentRevision,
    stamps: node.assignmentStamps,
    availability: node.availability,
    instances,
    removals: removals.map(({ instanceId, epoch, because }) => ({ instanceId, epoch, because })),
    volumeRemovals: here
      .filter(volume => volume.state === "removing")
      .map(({ tenantId, owner, name, serial }) => ({ tenantId, owner, name, serial })),
  };
}

/**
 * A node is told anew with each change of it, and most of what it is told is as it was: the same
 * record gives the same object, so that whoever writes it down need do so once.
 */
const told = new WeakMap<Location, AssignedInstance>();

function toAssigned(assigned: Assigned, kept: readonly Volume[]): AssignedInstance {
  const { location, instance, spec } = assigned;
  const before = told.get(location);
  if (!hasVolumes(spec) && before?.slot === instance.slot && before.spec === spec) return before;
  const wanted = new Set(volumesOf(location.tenantId, spec).map(mountKey));
  const now = makeAssigned(assigned, mountedVolumes(kept.filter(one => wanted.has(mountKey(one)))));
  told.set(location, now);
  return now;
}

function makeAssigned({ location, instance, spec }: Assigned, mounted: readonly Volume[]): AssignedInstance {
  return {
    instanceId: location.instanceId,
    tenantId: location.tenantId,
    epoch: location.epoch,
    release: location.release,
    slot: instance.slot,
    desired: desiredOf(location),
    ports: location.ports,
    spec,
    volumes: mounted.map(({ owner, name, serial }) => ({ owner, name, serial })),
  };
}

function desiredOf({ desired, state }: Location): AssignedInstance["desired"] {
  const isOver = desired === "stop" || state === "lost";
  if (isOver) return "stop";
  return state === "completed" || (state === "failed" && desired === "retire") ? "keep" : "run";
}

/** What stands on each of the wanted nodes; a location without its instance or spec is left out. */
export function assignedByNode(world: World, wanted: ReadonlySet<NodeId>): ReadonlyMap<NodeId, readonly Assigned[]> {
  const locations = world.locations.filter(location => wanted.has(location.nodeId));
  const instances = new Map<string, Instance | undefined>(locations.map(one => [one.instanceId, undefined]));
  for (const instance of world.instances) if (instances.has(instance.id)) instances.set(instance.id, instance);
  const releases = new Map<string, Release[]>(locations.map(one => [one.deploymentId, []]));
  for (const release of world.releases) releases.get(release.deploymentId)?.push(release);
  const byNode = new Map<NodeId, Assigned[]>();
  for (const location of locations) {
    const instance = instances.get(location.instanceId);
    const spec = releases.get(location.deploymentId)!.find(one => one.number === location.release)?.spec;
    if (instance === undefined || spec === undefined) continue;
    const list = byNode.get(location.nodeId);
    if (list === undefined) byNode.set(location.nodeId, [{ location, instance, spec }]);
    else list.push({ location, instance, spec });
  }
  return byNode;
}
