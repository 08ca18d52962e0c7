import { deploymentOf } from "@skep/core/model/instance-id.ts";
import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import type { World } from "@skep/core/world/world.ts";
import type { RunningContainer } from "./goal.ts";

/**
 * Watches where volumes are mounted: once a container of a deployment was made with a volume, every
 * later one that mounts a volume of that name mounts this very one on this very node, unless a
 * person gave it up meanwhile.
 */
export class VolumeRule {
  readonly #homes = new Map<string, { readonly nodeId: string; readonly serial: number }>();

  /** An agent is about to make a container of this instance. */
  brokenByMaking(nodeId: string, instance: AssignedInstance, world: World): string | undefined {
    const deploymentId = deploymentOf(instance.instanceId);
    for (const { name, serial } of instance.volumes) {
      const key = `${deploymentId}/${name}`;
      const home = this.#homes.get(key);
      const isGivenUp =
        home !== undefined &&
        !world.volumes.some(
          one =>
            one.state === "kept" &&
            one.deploymentId === deploymentId &&
            one.name === name &&
            one.nodeId === home.nodeId &&
            one.serial === home.serial,
        );
      if (home === undefined || isGivenUp) this.#homes.set(key, { nodeId, serial });
      else if (home.nodeId !== nodeId || home.serial !== serial)
        return `${instance.instanceId} mounts ${key}.${serial} on ${nodeId}, and its data is ${home.serial} on ${home.nodeId}`;
    }
    return undefined;
  }
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
