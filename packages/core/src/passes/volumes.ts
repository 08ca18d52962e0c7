import { highestVolumeSerial } from "../identity/serials.ts";
import { record } from "../world/change.ts";
import { releaseOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { DeploymentId } from "../model/deployment.ts";
import type { Instance } from "../model/instance.ts";
import type { NodeId } from "../model/node.ts";
import { currentOf, isLive } from "../model/state.ts";
import type { Volume } from "../model/volume.ts";
import { isSingle, volumeNames } from "../model/volume.ts";

/**
 * Records that a node holds a volume, for everything that is to run there and mounts one that is
 * not recorded. A node that may be away makes none: what a person gave up there must not come back.
 */
export function recordVolumes(draft: Draft): void {
  const mounting = deploymentsWith(draft, spec => volumeNames(spec).length > 0);
  if (mounting.size === 0) return;
  for (const instance of draft.instances.values()) {
    if (instance.desired !== "run" || !mounting.has(instance.deploymentId)) continue;
    const current = currentOf(instance, draft.locations.get(instance.id) ?? []);
    if (current === undefined || !isLive(current) || current.desired === "stop") continue;
    if (draft.nodes.get(current.nodeId)?.liveness === "ready") recordOn(draft, instance, current.nodeId);
  }
}

function recordOn(draft: Draft, instance: Instance, nodeId: NodeId): void {
  const spec = releaseOf(draft, instance)?.spec;
  const { tenantId, deploymentId } = instance;
  for (const name of spec === undefined ? [] : volumeNames(spec)) {
    if (keptOn(draft, deploymentId, nodeId).some(volume => volume.name === name)) continue;
    const times = { createdAt: draft.now, usedAt: draft.now };
    const volume: Volume = { tenantId, deploymentId, name, serial: nextSerial(draft), nodeId, ...times, state: "kept" };
    record(draft, { kind: "create-volume", volume });
  }
}

/**
 * Higher than that of any volume there is and of any placement there was, so that no serial comes
 * again. An agent that names an absurd one must not use them up.
 */
function nextSerial(draft: Draft): number {
  const highest = [draft.world.volumes, ...draft.volumes.values()].map(highestVolumeSerial);
  return Math.max(draft.placements, ...highest) + 1;
}

/** The volumes of a deployment that a node holds. */
export function keptOn(draft: Draft, deploymentId: DeploymentId, nodeId: NodeId): readonly Volume[] {
  const volumes = draft.volumes.get(deploymentId) ?? [];
  return volumes.filter(volume => volume.nodeId === nodeId && volume.state === "kept");
}

/**
 * Whether a volume that the instance mounts keeps it on the node: nowhere else is its data, so it
 * waits there for as long as the node is away.
 */
export function isBound(draft: Draft, instance: Instance, nodeId: NodeId): boolean {
  const spec = releaseOf(draft, instance)?.spec;
  if (spec === undefined) return false;
  const names = volumeNames(spec);
  return names.length > 0 && keptOn(draft, instance.deploymentId, nodeId).some(volume => names.includes(volume.name));
}

/**
 * The deployments of which at most one copy may run, by a release that is wanted or still in use.
 */
export function singlesOf(draft: Draft): ReadonlySet<DeploymentId> {
  return deploymentsWith(draft, isSingle);
}

function deploymentsWith(
  draft: Draft,
  has: (spec: Parameters<typeof isSingle>[0]) => boolean,
): ReadonlySet<DeploymentId> {
  const found = new Set<DeploymentId>();
  for (const [id, releases] of draft.releases) if (releases.some(release => has(release.spec))) found.add(id);
  return found;
}
