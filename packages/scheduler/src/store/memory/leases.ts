import { claimsByDeployment, judgeClaim, type LeaseClaim } from "@skep/core/identity/bridge.ts";
import { isLive } from "@skep/core/model/state.ts";
import { locationKey, type Records } from "../memory-records.ts";
import type { RenewedLeases } from "../store.ts";

/** How leases are given at one moment. */
interface LeaseTerms {
  readonly now: number;
  readonly leaseMs: number;
  readonly mayBegin: boolean;
}

/** See `StatusStore.renewLeases`; `now` is the database's clock. */
export function renewLeases(
  records: Records,
  nodeId: string,
  claims: readonly LeaseClaim[],
  terms: LeaseTerms,
): RenewedLeases {
  if (records.platform.unrecovered !== undefined) return bridge(records, nodeId, claims, terms);
  const granted = claims.filter(one => {
    const location = records.locations.get(locationKey(one));
    const isLatest = records.instances.get(one.instanceId)?.epoch === one.epoch;
    if (location?.nodeId !== nodeId || !isLatest || !isLive(location)) return false;
    const other = records.bridges.get(location.deploymentId);
    const isSame = other?.nodeId === nodeId && other.instanceId === one.instanceId && other.epoch === one.epoch;
    return other === undefined || isSame || other.until <= terms.now;
  });
  for (const one of granted) records.leases.set(locationKey(one), terms.now + terms.leaseMs);
  return { granted: granted.map(({ instanceId, epoch }) => ({ instanceId, epoch })), isBridged: false };
}

function bridge(records: Records, nodeId: string, claims: readonly LeaseClaim[], terms: LeaseTerms): RenewedLeases {
  const granted = [...claimsByDeployment(claims)].flatMap(([deploymentId, claim]) => {
    const answer = judgeClaim(records.bridges.get(deploymentId), { ...claim, nodeId }, terms);
    records.bridges.set(deploymentId, answer.bridge);
    return answer.isGranted ? [{ instanceId: claim.instanceId, epoch: claim.epoch }] : [];
  });
  return { granted, isBridged: true };
}
