import { isGlobal } from "@skep/core/model/mode.ts";
import { mountKey, volumesOf } from "@skep/core/model/volume.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Instance } from "@skep/core/model/instance.ts";
import { isLive, isWell } from "@skep/core/model/state.ts";

/** A running container with its node, as the world has it. */
export interface RunningContainer {
  readonly nodeId: string;
  readonly instanceId: string;
  readonly epoch: number;
  /** The container's name in the spec; `""` for a sandbox. */
  readonly name: string;
}

/** What the world looks like apart from the records. */
export interface Ground {
  /** Nodes whose machines run. */
  readonly up: ReadonlySet<string>;
  /** Nodes from which Swarm's operator took all work. */
  readonly drained: ReadonlySet<string>;
  readonly running: readonly RunningContainer[];
  /** Whether something is to run on though no record explains it. */
  readonly leftAlone: (instanceId: string) => boolean;
}

/**
 * What is missing until desired = recorded = running: sentences, none when the goal is reached.
 * Every deployment has exactly its replicas, of the wanted release, recorded and running on nodes
 * that take work, and nothing else runs. One by one, since who asks whether it is reached needs
 * only the first.
 */
export function* missing(world: World, ground: Ground): Generator<string, void> {
  const expected = new Map<string, string>();
  for (const deployment of world.deployments) {
    const spec = specOf(world, deployment.id, deployment.release);
    const isEverywhere = spec !== undefined && isGlobal(spec);
    const replicas = isEverywhere ? nodesFor(world, ground, deployment.id) : deployment.replicas;
    const wanted = deployment.desired === "run" ? replicas : 0;
    const instances = world.instances.filter(one => one.deploymentId === deployment.id && one.desired === "run");
    if (deployment.desired === "deleted") yield `${deployment.id} is still recorded, though deleted`;
    if (isEverywhere) yield* twiceOn(instances, world);
    if (instances.length !== wanted) yield `${deployment.id} has ${instances.length} instances, wanted ${wanted}`;
    for (const instance of instances) {
      if (instance.release !== deployment.release)
        yield `${instance.id} is of release ${instance.release}, wanted ${deployment.release}`;
      yield* gapsOf(instance, world, ground, expected);
    }
  }
  for (const node of world.nodes) {
    const wanted = ground.up.has(node.id) ? "ready" : "down";
    // A database that never heard its agent calls nobody down.
    if (wanted === "down" && node.liveness === "unknown") continue;
    if (node.liveness !== wanted) yield `${node.id} is recorded as ${node.liveness}, but it is ${wanted}`;
  }
  for (const location of world.locations) {
    if (isLive(location) && !expected.has(`${location.instanceId}@${location.epoch}`)) {
      yield `${location.instanceId}@${location.epoch} is recorded as ${location.state} on ${location.nodeId}, wanted nowhere`;
    }
  }
  for (const { instanceId, epoch, nodeId } of ground.running) {
    if (ground.leftAlone(instanceId)) continue;
    if (expected.get(`${instanceId}@${epoch}`) !== nodeId)
      yield `${instanceId}@${epoch} runs on ${nodeId}, wanted elsewhere or nowhere`;
  }
}

/**
 * On how many nodes a global deployment is to be: on those that take work, and, of a job, on those
 * where it is completed.
 */
function nodesFor(world: World, { up, drained }: Ground, deploymentId: string): number {
  const isCompleted = (nodeId: string): boolean =>
    world.locations.some(
      one => one.deploymentId === deploymentId && one.nodeId === nodeId && one.state === "completed",
    );
  return world.nodes.filter(({ id }) => (up.has(id) && !drained.has(id)) || isCompleted(id)).length;
}

/** Copies of a global deployment that share a node. */
function* twiceOn(instances: readonly Instance[], world: World): Generator<string, void> {
  const seen = new Map<string, string>();
  for (const { id, epoch } of instances) {
    const location = world.locations.find(one => one.instanceId === id && one.epoch === epoch);
    if (location === undefined) continue;
    const other = seen.get(location.nodeId);
    if (other !== undefined) yield `${other} and ${id} are both on ${location.nodeId}`;
    seen.set(location.nodeId, id);
  }
}

function specOf(world: World, deploymentId: string, number: number) {
  return world.releases.find(one => one.deploymentId === deploymentId && one.number === number)?.spec;
}

/** The node that has a volume which the instance mounts. */
function homeOf({ tenantId, deploymentId, release }: Instance, world: World): string | undefined {
  const spec = world.releases.find(one => one.deploymentId === deploymentId && one.number === release)?.spec;
  const keys = new Set((spec === undefined ? [] : volumesOf(tenantId, spec)).map(mountKey));
  return world.volumes.find(one => one.state === "kept" && keys.has(mountKey(one)))?.nodeId;
}

/** Adds where the instance is expected to run to `expected`, and answers what is wrong with it. */
function gapsOf(instance: Instance, world: World, ground: Ground, expected: Map<string, string>): readonly string[] {
  const location = world.locations.find(one => one.instanceId === instance.id && one.epoch === instance.epoch);
  const home = homeOf(instance, world);
  const isDrained = home !== undefined && ground.drained.has(home);
  // What ended on a drained node that has its volume cannot start again before the node takes work.
  if (isDrained && (location === undefined || !isLive(location))) return [];
  if (location === undefined)
    return [
      `${instance.id} is not placed: ${JSON.stringify(instance.refusal?.advice ?? instance.retryAt ?? "no reason")}`,
    ];
  // What has done its work runs nowhere, and stays recorded.
  if (location.state === "completed" && location.desired !== "stop") return [];
  const name = `${instance.id}@${instance.epoch}`;
  expected.set(name, location.nodeId);
  if (!isWell(location) || location.desired !== "run") {
    return [
      `${name} is ${location.state}/${location.health}, to ${location.desired}, on ${location.nodeId}: ${location.message}`,
    ];
  }
  if (!ground.up.has(location.nodeId) || (ground.drained.has(location.nodeId) && location.nodeId !== home))
    return [`${name} is on ${location.nodeId}, which takes no work`];
  const spec = world.releases.find(
    one => one.deploymentId === instance.deploymentId && one.number === instance.release,
  )?.spec;
  const wanted = (spec?.containers ?? []).map(container => container.name);
  const there = ground.running.filter(
    one => one.instanceId === instance.id && one.epoch === instance.epoch && one.nodeId === location.nodeId,
  );
  return wanted
    .filter(container => there.filter(one => one.name === container).length !== 1)
    .map(
      container =>
        `${name} is recorded as running on ${location.nodeId}, but its container ${container} does not run there`,
    );
}
