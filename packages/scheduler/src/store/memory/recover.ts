import { raise } from "./raise.ts";
import type { Recovery } from "@skep/core/identity/recovery-records.ts";
import { volumeKey } from "@skep/core/model/volume.ts";
import { locationKey, releaseKey, removalKey, type Records } from "../memory-records.ts";
import { refuse } from "../refusals.ts";

/** See `PlatformStore.recover`. */
export function recover(records: Records, recovery: Recovery, from: string, now: number): void {
  if (records.platform.incarnation !== from) throw refuse.incarnationChanged();
  const { receiptKey } = records.platform;
  records.platform = { ...recovery.identity, unrecovered: undefined, receiptKey };
  for (const tenant of recovery.tenants) records.tenants.set(tenant.id, tenant);
  for (const one of recovery.deployments) records.deployments.set(one.id, one);
  for (const one of recovery.releases) records.releases.set(releaseKey(one.deploymentId, one.number), one);
  for (const [id, routes] of Map.groupBy(recovery.routes, one => one.deploymentId)) records.routes.set(id, routes);
  for (const one of recovery.dropped) records.locations.delete(locationKey(one));
  const taken = new Set(
    recovery.locations.flatMap(one => one.ports.map(port => portKey({ ...port, nodeId: one.nodeId }))),
  );
  records.releasedPorts = records.releasedPorts.filter(one => !taken.has(portKey(one)));
  for (const one of recovery.instances) records.instances.set(one.id, one);
  for (const one of recovery.locations) records.locations.set(locationKey(one), one);
  for (const [id, serials] of recovery.serials) {
    records.serials.set(id, serials);
    const deployment = records.deployments.get(id);
    if (deployment !== undefined) records.deployments.set(id, { ...deployment, nextSerial: serials.next });
  }
  for (const { action, ...one } of recovery.items) {
    records.removals.delete(removalKey(one));
    records.orphans.delete(removalKey(one));
    if (action === "remove") records.removals.set(removalKey(one), one);
    if (action === "leave") records.orphans.set(removalKey(one), { ...one, since: now });
  }
  for (const one of recovery.volumes.dropped) records.volumes.delete(volumeKey(one));
  for (const one of recovery.volumes.written) records.volumes.set(volumeKey(one), one);
  raise(records, records.nodes.keys());
  const placements = Math.max(recovery.placements, records.lease?.placements ?? 0);
  if (records.lease !== undefined) records.lease = { ...records.lease, holder: "", expiresAt: 0, placements };
}

function portKey(of: { readonly nodeId: string; readonly hostPort: number; readonly protocol: string }): string {
  return `${of.nodeId} ${of.hostPort} ${of.protocol}`;
}
