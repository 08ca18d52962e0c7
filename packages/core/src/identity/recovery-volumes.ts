import { volumeKey, type ReportedVolume, type Volume, type VolumeOwner } from "../model/volume.ts";
import type { HeldNode, RecoveredVolume, RecoveryInput, VolumeRecovery } from "./recovery-records.ts";

/**
 * Plans what the records say of volumes after a recovery. The nodes that answered know what is on
 * them: what they have is recorded, and a record of what they do not have goes where its data is
 * known to be under another serial or on another node. No data is removed by it. A record without
 * any data stays: the volume may not have been made yet.
 */
export function planVolumes({ world, nodes, now }: RecoveryInput): VolumeRecovery {
  const recorded = new Map(world.volumes.map(one => [volumeKey(one), one]));
  const items: RecoveredVolume[] = [];
  const written: Volume[] = [];
  const dropped: Volume[] = [];
  for (const node of nodes) {
    const { nodeId } = node;
    for (const reported of node.volumes) {
      const { inUse: _, ...one } = reported;
      const known = recorded.get(volumeKey({ ...one, nodeId }));
      const isMounted = mounts(node, reported);
      if (known === undefined) {
        const usedAt = isMounted ? now : 0;
        written.push({ ...one, nodeId, createdAt: now, usedAt, state: "kept" });
        items.push(
          itemOf({ ...one, nodeId }, "adopt", isMounted ? "an app has its data in it" : "the records lost it"),
        );
      } else if (isMounted && known.state === "kept") written.push({ ...known, usedAt: now });
    }
  }
  for (const volume of world.volumes) {
    const because = whyDropped(volume, nodes);
    if (because === undefined) continue;
    dropped.push(volume);
    items.push(itemOf(volume, "drop", because));
  }
  return { items, written, dropped };
}

type Named = Pick<Volume, "owner" | "name" | "serial">;

function itemOf(
  { nodeId, owner, name, serial }: Named & Pick<Volume, "nodeId">,
  action: RecoveredVolume["action"],
  because: string,
): RecoveredVolume {
  return { nodeId, owner, name, serial, action, because };
}

function whyDropped(volume: Volume, nodes: readonly HeldNode[]): string | undefined {
  const { owner, name, serial, nodeId } = volume;
  const node = nodes.find(one => one.nodeId === nodeId);
  if (node === undefined || volume.state !== "kept" || has(node, volume) || assigned(node, volume)) return undefined;
  const other = node.volumes.find(one => isOf(one, owner, name));
  if (other !== undefined) return `${node.hostname} has serial ${other.serial} of it, and none with ${serial}`;
  const home = nodes.find(one => one.volumes.some(held => isOf(held, owner, name)));
  return home === undefined ? undefined : `its data is on ${home.hostname}, and ${node.hostname} has none`;
}

/** Whether the node's containers mount the volume, as far as its agent knows. */
function mounts(node: HeldNode, volume: ReportedVolume): boolean {
  if (assigned(node, volume)) return true;
  return volume.inUse && !mountedBy(node, volume.owner).some(one => one.name === volume.name);
}

function assigned(node: HeldNode, { owner, name, serial }: Named): boolean {
  return mountedBy(node, owner).some(one => one.name === name && one.serial === serial);
}

function mountedBy(node: HeldNode, owner: VolumeOwner) {
  const instances = node.assignment?.instances ?? [];
  return instances
    .filter(one => one.desired === "run")
    .flatMap(one => one.volumes.filter(volume => volume.owner === owner));
}

function has(node: HeldNode, { owner, name, serial }: Named): boolean {
  return node.volumes.some(one => isOf(one, owner, name) && one.serial === serial);
}

function isOf(one: ReportedVolume, owner: VolumeOwner, name: string): boolean {
  return one.owner === owner && one.name === name;
}
