import { mountedVolumes, volumeNames } from "../model/volume.ts";
import type { Volume } from "../model/volume.ts";
import type { AssignedInstance, Assignment, Removal } from "../model/assignment.ts";
import type { DeploymentSpec } from "../model/deployment.ts";
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
    availability: node.availability,
    instances,
    removals: removals.map(({ instanceId, epoch, because }) => ({ instanceId, epoch, because })),
    volumeRemovals: here
      .filter(volume => volume.state === "removing")
      .map(({ tenantId, deploymentId, name, serial }) => ({ tenantId, deploymentId, name, serial })),
  };
}

function toAssigned({ location, instance, spec }: Assigned, kept: readonly Volume[]): AssignedInstance {
  const names = volumeNames(spec);
  const mounted = mountedVolumes(
    kept.filter(one => one.deploymentId === location.deploymentId && names.includes(one.name)),
  );
  return {
    instanceId: location.instanceId,
    tenantId: location.tenantId,
    epoch: location.epoch,
    release: location.release,
    slot: instance.slot,
    desired: location.desired === "stop" || location.state === "lost" ? "stop" : "run",
    ports: location.ports,
    spec,
    volumes: mounted.map(({ name, serial }) => ({ name, serial })),
  };
}

/** What stands on each of the wanted nodes; a location without its instance or spec is left out. */
export function assignedByNode(world: World, wanted: ReadonlySet<NodeId>): ReadonlyMap<NodeId, readonly Assigned[]> {
  const instances = new Map(world.instances.map(instance => [instance.id, instance]));
  const specs = new Map(world.releases.map(release => [`${release.deploymentId} ${release.number}`, release.spec]));
  const byNode = new Map<NodeId, Assigned[]>();
  const add = (location: Location): void => {
    const instance = instances.get(location.instanceId);
    const spec = specs.get(`${location.deploymentId} ${location.release}`);
    if (instance === undefined || spec === undefined) return;
    const list = byNode.get(location.nodeId);
    if (list === undefined) byNode.set(location.nodeId, [{ location, instance, spec }]);
    else list.push({ location, instance, spec });
  };
  for (const location of world.locations) if (wanted.has(location.nodeId)) add(location);
  return byNode;
}
