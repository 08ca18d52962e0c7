import { volumeKey } from "../model/volume.ts";
import type { World } from "./world.ts";

/** How the records of a world are ordered for deciding: less than 0 where the first comes first. */
export const ORDER = {
  nodes: byId,
  deployments: byId,
  releases: (a: World["releases"][number], b: World["releases"][number]): number =>
    byText(a.deploymentId, b.deploymentId) || a.number - b.number,
  instances: byId,
  locations: (a: World["locations"][number], b: World["locations"][number]): number =>
    byText(a.instanceId, b.instanceId) || a.epoch - b.epoch,
  volumes: (a: World["volumes"][number], b: World["volumes"][number]): number => byText(volumeKey(a), volumeKey(b)),
};

/** The same world whatever order its records came in. */
export function inOrder(world: World): World {
  return {
    ...world,
    nodes: sorted(world.nodes, ORDER.nodes),
    deployments: sorted(world.deployments, ORDER.deployments),
    releases: sorted(world.releases, ORDER.releases),
    instances: sorted(world.instances, ORDER.instances),
    locations: sorted(world.locations, ORDER.locations),
    volumes: sorted(world.volumes, ORDER.volumes),
  };
}

/** Most worlds come in order already, and then nothing is copied. */
function sorted<T>(items: readonly T[], compare: (a: T, b: T) => number): readonly T[] {
  for (let at = 1; at < items.length; at++)
    if (compare(items[at - 1]!, items[at]!) >= 0) return items.toSorted(compare);
  return items;
}

/** Orders what has an id by it. */
export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return byText(a.id, b.id);
}

/** Orders texts by their UTF-16 units, the same on each machine. */
export function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
