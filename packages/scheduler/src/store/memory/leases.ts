import type { InstanceEpoch } from "@skep/api/codec/lease.ts";
import { isLive } from "@skep/core/model/state.ts";
import { locationKey, type Records } from "../memory-records.ts";

/** See `StatusStore.renewLeases`. */
export function renewLeases(
  records: Records,
  nodeId: string,
  instances: readonly InstanceEpoch[],
  until: number,
): readonly InstanceEpoch[] {
  const granted = instances.filter(one => {
    const location = records.locations.get(locationKey(one));
    const isLatest = records.instances.get(one.instanceId)?.epoch === one.epoch;
    return location?.nodeId === nodeId && isLatest && isLive(location);
  });
  for (const one of granted) records.leases.set(locationKey(one), until);
  return granted.map(({ instanceId, epoch }) => ({ instanceId, epoch }));
}
