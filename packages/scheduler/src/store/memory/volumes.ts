import { emptyAnswer } from "@skep/api/codec/stored/answer.ts";
import type { ReportedVolume, Volume, VolumeOwner } from "@skep/core/model/volume.ts";
import { volumeKey } from "@skep/core/model/volume.ts";
import { inOrder, type Records } from "../memory-records.ts";
import type { VolumeFilter } from "../store.ts";
import type { Request } from "../request.ts";
import { raise } from "./raise.ts";
import { once } from "./once.ts";

/** See `VolumeStore.listVolumes`. */
export function listVolumes(records: Records, filter: VolumeFilter): readonly Volume[] {
  const found = [...records.volumes.values()].filter(
    one => (filter.tenantId ?? one.tenantId) === one.tenantId && (filter.owner ?? one.owner) === one.owner,
  );
  const digits = (serial: number): string => String(serial).padStart(15, "0");
  return inOrder(found, one => `${one.tenantId} ${one.owner} ${one.name} ${digits(one.serial)} ${one.nodeId}`);
}

/** See `VolumeStore.giveUpVolume`. */
export function giveUpVolume(records: Records, volume: Volume, request: Request, now: number): void {
  const id = volumeKey(volume);
  once(records, request, `volume.remove ${id}`, undefined, now, emptyAnswer, audit => {
    if (giveUp(records, one => volumeKey(one) === id)) audit();
  });
}

/** See `VolumeStore.giveUpVolumes`. */
export function giveUpVolumes(records: Records, owner: VolumeOwner, request: Request, now: number): void {
  once(records, request, `volume.remove-all ${owner}`, undefined, now, emptyAnswer, audit => {
    if (giveUp(records, one => one.owner === owner)) audit();
  });
}

/**
 * Gives up every volume that is meant, and tells the nodes that have them; answers whether
 * there was one.
 */
export function giveUp(records: Records, isMeant: (volume: Volume) => boolean): boolean {
  let some = false;
  for (const [key, volume] of records.volumes) {
    if (volume.state === "removing" || !isMeant(volume)) continue;
    records.volumes.set(key, { ...volume, state: "removing" });
    raise(records, [volume.nodeId]);
    some = true;
  }
  return some;
}

/** See `VolumeStore.saveVolumes`. */
export function saveVolumes(
  records: Records,
  nodeId: string,
  volumes: readonly ReportedVolume[],
  now: number,
): boolean {
  const given = new Map(volumes.map(volume => [volumeKey({ ...volume, nodeId }), volume]));
  const away = new Set([...records.volumes].filter(([, one]) => one.state !== "kept").map(([key]) => key));
  const found = [...given].filter(([key]) => !away.has(key)).map(([, one]) => one);
  const lost = [...records.volumes].filter(
    ([key, one]) =>
      one.nodeId === nodeId &&
      !given.has(key) &&
      (one.state === "removing" ||
        (one.state === "kept" && found.some(other => other.owner === one.owner && other.name === one.name))),
  );
  let changed = lost.length > 0;
  for (const [key] of lost) records.volumes.delete(key);
  if (changed) raise(records, [nodeId]);
  for (const [key, { inUse, ...volume }] of given) {
    const known = records.volumes.get(key);
    if (known !== undefined && inUse) records.volumes.set(key, { ...known, usedAt: now });
    if (known !== undefined) continue;
    records.volumes.set(key, { ...volume, nodeId, createdAt: now, usedAt: inUse ? now : 0, state: "kept" });
    changed = true;
  }
  return changed;
}
