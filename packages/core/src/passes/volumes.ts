import { highestVolumeSerial } from "../identity/serials.ts";
import { record } from "../world/change.ts";
import { releaseOf, volumesIn, volumesOwnedBy } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { DeploymentId } from "../model/deployment.ts";
import type { Instance } from "../model/instance.ts";
import type { NodeId } from "../model/node.ts";
import { currentOf, isLive } from "../model/state.ts";
import type { MountedVolume, Volume, VolumeOwner } from "../model/volume.ts";
import { hasVolumes, isSingle, volumesOf } from "../model/volume.ts";

/**
 * Records that a node holds a volume, for everything that is to run there and mounts one that is
 * not recorded. A node that may be away makes none: what a person gave up there must not come back.
 * Neither does what is about to end: a person may have given up the volumes with the deployment.
 */
export function recordVolumes(draft: Draft): void {
  const mounting = deploymentsWith(draft, hasVolumes);
  if (mounting.size === 0) return;
  for (const instance of draft.instances.values()) {
    if (instance.desired !== "run" || !mounting.has(instance.deploymentId)) continue;
    if (draft.deployments.get(instance.deploymentId)?.desired !== "run") continue;
    const current = currentOf(instance, draft.locations.get(instance.id) ?? []);
    if (current === undefined || !isLive(current) || current.desired === "stop") continue;
    if (draft.nodes.get(current.nodeId)?.liveness === "ready") recordOn(draft, instance, current.nodeId);
  }
}

function recordOn(draft: Draft, instance: Instance, nodeId: NodeId): void {
  const { tenantId, deploymentId } = instance;
  for (const { owner, name, isExternal } of mountedBy(draft, instance)) {
    if (isExternal || keptOn(draft, owner, nodeId).some(volume => volume.name === name)) continue;
    const times = { createdAt: draft.now, usedAt: draft.now };
    const volume: Volume = { tenantId, owner, name, serial: nextSerial(draft), nodeId, ...times, state: "kept" };
    record(draft, { kind: "create-volume", volume, deploymentId });
  }
}

/** The volumes that the instance's release mounts. */
function mountedBy(draft: Draft, instance: Instance): readonly MountedVolume[] {
  const spec = releaseOf(draft, instance)?.spec;
  return spec === undefined ? [] : volumesOf(instance.tenantId, spec);
}

/**
 * Higher than that of any volume there is and of any placement there was, so that no serial comes
 * again. An agent that names an absurd one must not use them up.
 */
function nextSerial(draft: Draft): number {
  return Math.max(draft.placements, highestVolumeSerial(volumesIn(draft))) + 1;
}

/** The volumes of an owner that a node holds. */
function keptOn(draft: Draft, owner: VolumeOwner, nodeId: NodeId): readonly Volume[] {
  return volumesOwnedBy(draft, owner).filter(volume => volume.nodeId === nodeId && volume.state === "kept");
}

/** A volume that the instance mounts and that the node holds; `undefined` where there is none. */
export function boundBy(draft: Draft, instance: Instance, nodeId: NodeId): Volume | undefined {
  for (const { owner, name } of mountedBy(draft, instance)) {
    const volume = keptOn(draft, owner, nodeId).find(one => one.name === name);
    if (volume !== undefined) return volume;
  }
  return undefined;
}

/**
 * Whether a volume that the instance mounts keeps it on the node: nowhere else is its data, so it
 * waits there for as long as the node is away.
 */
export function isBound(draft: Draft, instance: Instance, nodeId: NodeId): boolean {
  return boundBy(draft, instance, nodeId) !== undefined;
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
