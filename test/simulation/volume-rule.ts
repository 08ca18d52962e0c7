import { deploymentOf } from "@skep/core/model/instance-id.ts";
import { isLive } from "@skep/core/model/state.ts";
import { mountKey, volumesOf } from "@skep/core/model/volume.ts";
import type { Plan } from "@skep/core/world/plan.ts";
import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import type { World } from "@skep/core/world/world.ts";
import type { RunningContainer } from "./goal.ts";

/**
 * Watches where volumes are mounted: once a container was made with a volume, every later one that
 * mounts a volume of that owner and name, of whichever deployment, mounts this very one on this
 * very node, unless it was given up or left behind meanwhile.
 */
export class VolumeRule {
  readonly #homes = new Map<string, { readonly nodeId: string; readonly serial: number }>();

  /** An agent is about to make a container of this instance. */
  brokenByMaking(nodeId: string, instance: AssignedInstance, world: World): string | undefined {
    for (const { owner, name, serial } of instance.volumes) {
      const key = mountKey({ owner, name });
      // A copy on a node that is cut off mounts what was left behind there, which is its own data.
      const isLeft = world.volumes.some(
        one => one.state === "left" && mountKey(one) === key && one.nodeId === nodeId && one.serial === serial,
      );
      if (isLeft) continue;
      const home = this.#homes.get(key);
      const isGivenUp =
        home !== undefined &&
        !world.volumes.some(
          one =>
            one.state === "kept" && mountKey(one) === key && one.nodeId === home.nodeId && one.serial === home.serial,
        );
      if (home === undefined || isGivenUp) this.#homes.set(key, { nodeId, serial });
      else if (home.nodeId !== nodeId || home.serial !== serial)
        return `${instance.instanceId} mounts ${key}.${serial} on ${nodeId}, and its data is ${home.serial} on ${home.nodeId}`;
    }
    return undefined;
  }
}

/**
 * An instance with a volume is where the volume is: what is to run and mounts one that some node
 * keeps is on such a node, whichever deployment made it.
 */
export function brokenHomeRule({ locations, releases, volumes }: World): string | undefined {
  const homes = new Map<string, Set<string>>();
  for (const one of volumes)
    if (one.state === "kept") homes.set(mountKey(one), (homes.get(mountKey(one)) ?? new Set()).add(one.nodeId));
  for (const location of locations) {
    const { instanceId, epoch, tenantId, deploymentId, release, nodeId } = location;
    if (location.desired !== "run" || !isLive(location)) continue;
    const spec = releases.find(one => one.deploymentId === deploymentId && one.number === release)?.spec;
    for (const volume of spec === undefined ? [] : volumesOf(tenantId, spec)) {
      const nodes = homes.get(mountKey(volume));
      if (nodes !== undefined && !nodes.has(nodeId))
        return `${instanceId}@${epoch} is to run on ${nodeId}, and its volume ${mountKey(volume)} is on ${[...nodes].join()}`;
    }
  }
  return undefined;
}

/**
 * A volume is left behind only where everything that is wanted and mounts it, in the world that the
 * plan was made of, says that it may begin empty.
 */
export function brokenLeaveRule(world: World, { changes }: Plan): string | undefined {
  for (const change of changes) {
    if (change.kind !== "leave-volume") continue;
    const key = mountKey(change.volume);
    for (const { id, tenantId, release, desired } of world.deployments) {
      const spec = world.releases.find(one => one.deploymentId === id && one.number === release)?.spec;
      const mounted = spec === undefined ? [] : volumesOf(tenantId, spec).filter(one => mountKey(one) === key);
      if (desired !== "deleted" && mounted.some(one => !one.mayMoveEmpty))
        return `${key} is left behind on ${change.volume.nodeId}, and ${id} waits for it`;
    }
  }
  return undefined;
}

/** Whether the workload made the deployment a single copy, by its name. */
export function isSingleName(deploymentId: string): boolean {
  return /\.(db|one)$/.test(deploymentId);
}

/** Whether the workload made the deployment exclusive, so that a lease holds its copy. */
export function isExclusiveName(deploymentId: string): boolean {
  return deploymentId.endsWith(".one");
}

/** Two copies of a single one never run at a time, wherever they are and whatever is recorded. */
export function brokenSingleRule(running: readonly RunningContainer[]): string | undefined {
  const copies = new Map<string, RunningContainer>();
  for (const one of running) {
    const deploymentId = deploymentOf(one.instanceId);
    if (one.name === "" || !isSingleName(deploymentId)) continue;
    const other = copies.get(deploymentId);
    if (other !== undefined && (other.instanceId !== one.instanceId || other.epoch !== one.epoch)) {
      const name = (copy: RunningContainer): string => `${copy.instanceId}@${copy.epoch} on ${copy.nodeId}`;
      return `two copies of ${deploymentId} run: ${name(other)} and ${name(one)}`;
    }
    copies.set(deploymentId, one);
  }
  return undefined;
}
