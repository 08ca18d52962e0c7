import type { World } from "@skep/core/world/world.ts";
import type { Instance, Location } from "@skep/core/model/instance.ts";
import type { Node } from "@skep/core/model/node.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { isLive, isServing } from "@skep/core/model/state.ts";

/** A container that runs somewhere, as the world has it; no record was asked. */
export interface Running {
  readonly nodeId: string;
  readonly instanceId: string;
  readonly epoch: number;
  readonly hostPorts: readonly number[];
}

/**
 * What must hold in the records at every moment, whatever has failed. Answers the first sentence
 * that does not hold. On nodes in `repaired` only ports are judged: a row that was written back
 * describes what runs, not what was placed.
 */
export function brokenRecordRule(world: World, repaired: ReadonlySet<string> = new Set()): string | undefined {
  const instances = new Map(world.instances.map(instance => [instance.id, instance]));
  return brokenEpoch(world, instances) ?? brokenRoom(world, instances, repaired);
}

/**
 * Routes lead to the newest copy of an instance that serves, and never to a container of another
 * instance or of another copy of the same one.
 */
export function brokenRouteRule(world: World, running: readonly Running[]): string | undefined {
  for (const location of routed(world)) {
    for (const { hostPort } of location.ports) {
      const answers = running.find(one => one.nodeId === location.nodeId && one.hostPorts.includes(hostPort));
      if (answers === undefined) continue;
      if (answers.instanceId !== location.instanceId || answers.epoch !== location.epoch) {
        return `the route to ${nameOf(location)} at ${location.nodeId}:${hostPort} reaches ${answers.instanceId}@${answers.epoch}`;
      }
    }
  }
  return undefined;
}

/** No container of a copy runs twice, on one node or on two. */
export function brokenCopyRule(running: readonly (Running & { readonly name: string })[]): string | undefined {
  const seen = new Map<string, string>();
  for (const { instanceId, epoch, name, nodeId } of running) {
    const key = `${instanceId}@${epoch} ${name}`;
    const other = seen.get(key);
    if (other !== undefined) return `${key || "its sandbox"} runs twice, on ${other} and on ${nodeId}`;
    seen.set(key, nodeId);
  }
  return undefined;
}

/** What the edge sends requests to: of each instance the newest location that serves. */
function routed(world: World): Iterable<Location> {
  const nodes = new Map(world.nodes.map(node => [node.id, node]));
  const newest = new Map<string, Location>();
  for (const location of world.locations) {
    if (!isServing(location, nodes.get(location.nodeId))) continue;
    const before = newest.get(location.instanceId);
    if (before === undefined || before.epoch < location.epoch) newest.set(location.instanceId, location);
  }
  return newest.values();
}

function brokenEpoch(world: World, instances: ReadonlyMap<string, Instance>): string | undefined {
  const seen = new Set<string>();
  for (const location of world.locations) {
    const instance = instances.get(location.instanceId);
    if (instance === undefined) return `${nameOf(location)} is recorded on ${location.nodeId}, but its instance is not`;
    if (seen.has(nameOf(location))) return `${nameOf(location)} is recorded twice`;
    seen.add(nameOf(location));
    if (location.epoch > instance.epoch)
      return `${nameOf(location)} is ahead of its instance, which is at ${instance.epoch}`;
  }
  return undefined;
}

/** Capacity and ports, counted over every location that has not ended. */
function brokenRoom(
  world: World,
  instances: ReadonlyMap<string, Instance>,
  repaired: ReadonlySet<string>,
): string | undefined {
  const specs = new Map(world.releases.map(release => [`${release.deploymentId}#${release.number}`, release.spec]));
  for (const node of world.nodes) {
    const live = world.locations.filter(location => location.nodeId === node.id && isLive(location));
    const broken =
      brokenPort(node, live) ?? (repaired.has(node.id) ? undefined : brokenShare(node, live, instances, specs));
    if (broken !== undefined) return broken;
  }
  return undefined;
}

function brokenPort(node: Node, live: readonly Location[]): string | undefined {
  const users = new Map<string, string>();
  for (const location of live) {
    for (const { protocol, hostPort } of location.ports) {
      const key = `${hostPort}/${protocol}`;
      const user = users.get(key);
      if (user !== undefined) return `port ${key} of ${node.id} is given to ${user} and to ${nameOf(location)}`;
      users.set(key, nameOf(location));
    }
  }
  return undefined;
}

function brokenShare(
  node: Node,
  live: readonly Location[],
  instances: ReadonlyMap<string, Instance>,
  specs: ReadonlyMap<string, DeploymentSpec>,
): string | undefined {
  if (live.length > node.capacity.instances) {
    return `${node.id} has ${live.length} instances, it takes ${node.capacity.instances}`;
  }
  let [cpuMillis, memoryBytes] = [0, 0];
  for (const location of live) {
    const release = instances.get(location.instanceId)?.release ?? location.release;
    for (const { resources } of specs.get(`${location.deploymentId}#${release}`)?.containers ?? []) {
      cpuMillis += resources.reserveCpuMillis;
      memoryBytes += resources.reserveMemoryBytes;
    }
  }
  if (cpuMillis > node.capacity.cpuMillis)
    return `${node.id} has ${cpuMillis} cpu millis reserved of ${node.capacity.cpuMillis}`;
  if (memoryBytes > node.capacity.memoryBytes) return `${node.id} has more memory reserved than it has`;
  return undefined;
}

function nameOf(location: Location): string {
  return `${location.instanceId}@${location.epoch}`;
}
