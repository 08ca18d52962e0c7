import { deploymentIdOf, tenantOf } from "@skep/core/model/instance-id.ts";
import type { Dependency, DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Instance, Location } from "@skep/core/model/instance.ts";
import { isJob } from "@skep/core/model/mode.ts";
import { currentOf, isWell } from "@skep/core/model/state.ts";
import type { World } from "@skep/core/world/world.ts";

/**
 * Watches the order of first starts and the ends of jobs in the records. What a deployment depends
 * on has to have been so once before the first copy of it is placed: the plan may be of a moment
 * ago. What is completed is placed never again.
 */
export class OrderRule {
  /** Conditions that held once, of each deployment as it was made; of a job, of its release. */
  readonly #met = new Set<string>();
  readonly #completed = new Set<string>();

  /** The records changed: what holds now, and the first sentence that does not. */
  broken(before: World, after: World): string | undefined {
    const locations = Map.groupBy(after.locations, one => one.instanceId);
    this.#learn(after, locations);
    const known = new Set(before.locations.map(keyOf));
    for (const placed of after.locations) {
      // One that was told to end may have been done a moment before it heard of it.
      if (placed.state === "completed" && placed.desired !== "stop") this.#completed.add(placed.instanceId);
      if (known.has(keyOf(placed)) || placed.state !== "assigned") continue;
      if (this.#completed.has(placed.instanceId)) return `${keyOf(placed)} is placed, and it was completed before`;
      const missing = this.#missing(before, after, placed);
      if (missing !== undefined) return `${keyOf(placed)} begins before ${missing}`;
      const over = tooMany(after, locations, placed);
      if (over !== undefined) return over;
    }
    return undefined;
  }

  #learn(world: World, locations: ReadonlyMap<string, readonly Location[]>): void {
    const waited = new Set(
      world.releases.flatMap(({ deploymentId, spec }) =>
        spec.dependsOn.map(one => deploymentIdOf(tenantOf(deploymentId), one.name)),
      ),
    );
    for (const { id, createdAt, release, replicas } of world.deployments.filter(one => waited.has(one.id))) {
      const copies = world.instances.filter(one => one.deploymentId === id && one.desired === "run");
      const all = copies.flatMap(one => locations.get(one.id) ?? []);
      const isUp = (one: Location): boolean => one.state === "running" || one.state === "completed";
      if (all.some(isUp)) this.#met.add(`${id} ${createdAt} started`);
      if (all.some(isWell)) this.#met.add(`${id} ${createdAt} healthy`);
      const isDone = (one: Instance): boolean =>
        one.release === release && currentOf(one, locations.get(one.id) ?? [])?.state === "completed";
      if (copies.length >= replicas && copies.every(isDone)) this.#met.add(`${id} ${createdAt} completed`);
    }
  }

  /** What the first copy of a deployment was to wait for. */
  #missing(before: World, after: World, placed: Location): string | undefined {
    const { deploymentId } = placed;
    const spec = specOf(after, placed);
    if (spec === undefined || placed.epoch > 1 || spec.dependsOn.length === 0) return undefined;
    // Somebody of it was placed before: then nothing waits any more.
    if (before.instances.some(one => one.deploymentId === deploymentId && one.epoch > 0)) return undefined;
    const lacks = ({ name, condition, required }: Dependency): boolean => {
      const id = deploymentIdOf(tenantOf(deploymentId), name);
      const other = after.deployments.find(one => one.id === id);
      return required && !this.#met.has(`${id} ${other?.createdAt} ${condition}`);
    };
    const found = spec.dependsOn.find(lacks);
    return found === undefined ? undefined : `${found.name} is ${found.condition}`;
  }
}

/** No more instances of a job run at once than it allows. */
function tooMany(
  world: World,
  locations: ReadonlyMap<string, readonly Location[]>,
  placed: Location,
): string | undefined {
  const spec = specOf(world, placed);
  const most = spec !== undefined && isJob(spec) ? spec.job?.maxConcurrent : undefined;
  if (most === undefined) return undefined;
  const live = world.instances.filter(
    one =>
      one.deploymentId === placed.deploymentId &&
      one.release === placed.release &&
      one.desired === "run" &&
      (locations.get(one.id) ?? []).some(at => !["stopped", "completed", "failed", "lost"].includes(at.state)),
  );
  if (live.length <= most) return undefined;
  return `${keyOf(placed)} is copy ${live.length} of a job of which ${most} may run at once`;
}

function specOf(world: World, { deploymentId, release }: Location): DeploymentSpec | undefined {
  return world.releases.find(one => one.deploymentId === deploymentId && one.number === release)?.spec;
}

const keyOf = (of: Location): string => `${of.instanceId}@${of.epoch}`;
