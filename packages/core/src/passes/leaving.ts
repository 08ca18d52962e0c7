import { volumeKey, mountKey, type Volume } from "../model/volume.ts";
import { releasesInUse, type Mounting } from "../placement/affinity.ts";
import { fleetOfDraft, needsOfDraft } from "../placement/fleet-of-world.ts";
import type { Counts } from "../placement/fleet.ts";
import { placeBatch, type PlacementRequest } from "../placement/place.ts";
import { instanceIdOf } from "../model/instance-id.ts";
import { record } from "../world/change.ts";
import { volumesIn, type Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";

/**
 * The volumes that may be left behind: their nodes are away, and everything that mounts them says
 * that it may begin empty elsewhere. One deployment that needs the data keeps it for all.
 */
export function leavableVolumes(draft: Draft): readonly Volume[] {
  const away = volumesIn(draft).filter(one => one.state === "kept" && isAway(draft, one));
  if (away.length === 0) return [];
  const mounts = new Map<string, boolean>();
  for (const { volumes } of releasesInUse(draft.world))
    for (const one of volumes) {
      const key = mountKey(one);
      mounts.set(key, one.mayMoveEmpty && mounts.get(key) !== false);
    }
  return away.filter(one => mounts.get(mountKey(one)) === true);
}

function isAway({ nodes }: Draft, { nodeId }: Volume): boolean {
  const node = nodes.get(nodeId);
  return node === undefined || node.liveness === "down";
}

/**
 * Leaves those volumes behind of which a node takes what mounts them. Where none does, it waits for
 * its data like any other: the node may be back before there is room. Answers whether any was left.
 */
export function leaveVolumes(
  draft: Draft,
  settings: Settings,
  leavable: readonly Volume[],
  standing?: Counts,
): boolean {
  const keys = new Set(leavable.map(mountKey));
  const wanting = releasesInUse(draft.world).filter(
    one =>
      one.replicas > 0 &&
      draft.deployments.has(one.release.deploymentId) &&
      one.volumes.some(of => keys.has(mountKey(of))),
  );
  const needs = needsOfDraft(draft, settings.memoryOvercommit);
  const requests = wanting.flatMap(({ release }): PlacementRequest[] => {
    const need = needs(release.deploymentId, release.number);
    // One copy of each, under a name that no instance has.
    const instanceId = instanceIdOf(release.deploymentId, 0);
    return need === undefined ? [] : [{ instanceId, need, slot: 0, exclude: undefined }];
  });
  const fleet = fleetOfDraft(draft, settings, standing, new Set(leavable.map(volumeKey)));
  const placed = new Set(placeBatch(fleet, requests).placed.map(one => one.instanceId));
  let some = false;
  for (const volume of leavable) {
    const mounting = mountingOf(volume, wanting).find(id => placed.has(instanceIdOf(id, 0)));
    if (mounting === undefined) continue;
    const node = draft.nodes.get(volume.nodeId);
    const away = node === undefined ? `${volume.nodeId} has left the Swarm` : `${node.hostname} is down`;
    const because = `${away}, and \`move: empty\` lets what mounts it begin empty on another node`;
    record(draft, { kind: "leave-volume", volume, deploymentId: mounting, because });
    some = true;
  }
  return some;
}

/** The deployments of the draft that mount a volume which may be left behind. */
export function mayLeave(draft: Draft): readonly string[] {
  const leavable = leavableVolumes(draft);
  if (leavable.length === 0) return [];
  const mounting = releasesInUse(draft.world);
  return leavable.flatMap(volume => mountingOf(volume, mounting));
}

function mountingOf(volume: Volume, wanting: readonly Mounting[]): readonly string[] {
  const key = mountKey(volume);
  return wanting.filter(one => one.volumes.some(of => mountKey(of) === key)).map(one => one.release.deploymentId);
}
