import type { Deployment, DeploymentId } from "../model/deployment.ts";
import type { Instance, InstanceRecord, Location } from "../model/instance.ts";
import type { Draft } from "./draft.ts";

/**
 * A deployment as it is recorded, whoever asks: one that rests is not in the draft, and is as the
 * world has it. Only for a draft that was opened on a world in order.
 */
export function deploymentIn(draft: Draft, id: DeploymentId): Deployment | undefined {
  if (draft.awake?.has(id) !== false) return draft.deployments.get(id);
  const { deployments } = draft.world;
  const found = deployments[firstFrom(deployments, id, one => one.id)];
  return found?.id === id ? found : undefined;
}

/**
 * The instances of a deployment that the world has, with their locations, as the draft has made
 * them since.
 */
export function instancesIn(draft: Draft, id: DeploymentId): readonly InstanceRecord[] {
  const isAwake = draft.awake?.has(id) !== false;
  const { instances, locations } = draft.world;
  return within(instances, `${id}.`, one => one.id).flatMap(known => {
    if (known.deploymentId !== id) return [];
    const instance = isAwake ? draft.instances.get(known.id) : known;
    if (instance === undefined) return [];
    const all = isAwake ? (draft.locations.get(known.id) ?? []) : locationsIn(locations, instance);
    return [{ instance, locations: all }];
  });
}

function locationsIn(locations: readonly Location[], { id }: Instance): readonly Location[] {
  return within(locations, id, one => one.instanceId).filter(one => one.instanceId === id);
}

/** What begins with a text, of what is in order by it. */
function within<T>(all: readonly T[], prefix: string, textOf: (one: T) => string): readonly T[] {
  const from = firstFrom(all, prefix, textOf);
  let to = from;
  while (to < all.length && textOf(all[to]!).startsWith(prefix)) to += 1;
  return all.slice(from, to);
}

/** The index of the first that does not come before a text. */
function firstFrom<T>(all: readonly T[], text: string, textOf: (one: T) => string): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (textOf(all[middle]!) < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
