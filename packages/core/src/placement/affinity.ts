import type { Release } from "../model/deployment.ts";
import { tenantOf } from "../model/instance-id.ts";
import { mountKey, volumesOf, type MountedVolume } from "../model/volume.ts";
import { oncePer } from "../world/once-per.ts";
import type { World } from "../world/world.ts";

/** A release that its deployment wants, and the volumes that it mounts. */
export interface Mounting {
  readonly release: Release;
  readonly replicas: number;
  readonly volumes: readonly MountedVolume[];
}

/**
 * Deployments that have to be on one node, since each mounts a volume that another one of them
 * mounts, too. A pair may share nothing with each other, and be held together by a third.
 */
export interface Together {
  /** The least of its keys, by which it is known. */
  readonly id: string;
  /** Keys of all volumes that they mount. */
  readonly keys: ReadonlySet<string>;
  readonly members: readonly Mounting[];
}

/** What has to be together, by the key of each volume. */
export type Affinity = ReadonlyMap<string, Together>;

/**
 * What a release mounts. Of one whose spec cannot be read nobody can tell: whoever decides on that
 * deployment throws, and no other one.
 */
export function mountsOf({ deploymentId, spec }: Release): readonly MountedVolume[] {
  try {
    return volumesOf(tenantOf(deploymentId), spec);
  } catch {
    return [];
  }
}

/** The releases that mount volumes, of all that there are. */
export const mountingIn = oncePer((releases: World["releases"]) => releases.filter(one => mountsOf(one).length > 0));

/** Every release that mounts volumes and that a deployment wants, be it stopped for now. */
export const releasesInUse = oncePer((world: World): readonly Mounting[] => {
  const some = mountingIn(world.releases);
  const named = new Set(some.map(one => one.deploymentId));
  const deployments = new Map(world.deployments.filter(one => named.has(one.id)).map(one => [one.id, one]));
  return some.flatMap(release => {
    const deployment = deployments.get(release.deploymentId);
    if (deployment === undefined || deployment.desired === "deleted" || deployment.release !== release.number)
      return [];
    // One that is stopped finds its data where the others are once it is started.
    const replicas = deployment.desired === "run" ? deployment.replicas : 0;
    return [{ release, replicas, volumes: mountsOf(release) }];
  });
});

/** What has to be together in this world, by what is wanted now, be it placed or not. */
export const affinityOf = oncePer((world: World): Affinity => {
  const byKey = new Map<string, { keys: Set<string>; members: Mounting[] }>();
  for (const one of releasesInUse(world)) {
    const keys = one.volumes.map(mountKey);
    const groups = new Set(keys.flatMap(key => byKey.get(key) ?? []));
    const joined = {
      keys: new Set([...keys, ...[...groups].flatMap(group => [...group.keys])]),
      members: [...[...groups].flatMap(group => group.members), one],
    };
    for (const key of joined.keys) byKey.set(key, joined);
  }
  const found = new Map<string, Together>();
  for (const group of new Set(byKey.values())) {
    const keys = [...group.keys].sort();
    for (const key of keys) found.set(key, { id: keys[0]!, keys: group.keys, members: group.members });
  }
  return found;
});
