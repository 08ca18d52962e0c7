import type { DeploymentId } from "../model/deployment.ts";
import { parseInstanceId } from "../model/instance-id.ts";
import type { InstanceId } from "../model/instance.ts";
import type { NodeId } from "../model/node.ts";

/** A copy that an agent wants to go on with, or to begin. */
export interface LeaseClaim {
  readonly instanceId: InstanceId;
  readonly epoch: number;
  /** Whether its lease had not ended when the agent asked. */
  readonly isHeld: boolean;
}

/**
 * Which copy of an exclusive deployment may run while the records are not the fleet's, whatever
 * they say of it.
 */
export interface Bridge {
  readonly deploymentId: DeploymentId;
  readonly nodeId: NodeId;
  readonly instanceId: InstanceId;
  readonly epoch: number;
  /** By the database's clock, in ms; 0 for a copy that only asked. */
  readonly until: number;
}

/** What a claim is judged by. */
export interface BridgeTerms {
  /** The database's time, ms. */
  readonly now: number;
  readonly leaseMs: number;
  /** Whether every lease from before has ended: then a copy may begin whose lease did too. */
  readonly mayBegin: boolean;
}

/**
 * Judges one claim. A copy whose lease still holds goes on: there is one at most, since leases were
 * given to one copy at a time. One whose lease has ended begins again only when no other lease from
 * before can hold, and no later copy has asked. Answers the bridge as it stands then.
 */
export function judgeClaim(
  known: Bridge | undefined,
  { nodeId, instanceId, epoch, isHeld }: LeaseClaim & { readonly nodeId: NodeId },
  { now, leaseMs, mayBegin }: BridgeTerms,
): { readonly isGranted: boolean; readonly bridge: Bridge } {
  const isSame = known?.nodeId === nodeId && known.instanceId === instanceId && known.epoch === epoch;
  const claim = { deploymentId: parseInstanceId(instanceId)?.deploymentId ?? "", nodeId, instanceId, epoch };
  if (known !== undefined && !isSame) {
    if (known.until > now) return { isGranted: false, bridge: known };
    if (!isHeld && !isLater(claim, known)) return { isGranted: false, bridge: known };
  }
  // Nobody else got one since it had its own: it would stand in place of it.
  const hadIt = isSame && known.until > 0;
  if (isHeld || hadIt || mayBegin) return { isGranted: true, bridge: { ...claim, until: now + leaseMs } };
  return { isGranted: false, bridge: isSame ? known : { ...claim, until: 0 } };
}

/** One claim of each deployment: of several on a node the one that holds, then the latest. */
export function claimsByDeployment(claims: readonly LeaseClaim[]): ReadonlyMap<DeploymentId, LeaseClaim> {
  const chosen = new Map<DeploymentId, LeaseClaim>();
  for (const claim of claims) {
    const id = parseInstanceId(claim.instanceId)?.deploymentId;
    if (id === undefined) continue;
    const other = chosen.get(id);
    const isBetter = other === undefined || (claim.isHeld === other.isHeld ? isLater(claim, other) : claim.isHeld);
    if (isBetter) chosen.set(id, claim);
  }
  return chosen;
}

type Copy = Pick<LeaseClaim, "instanceId" | "epoch">;

/** Whether a copy was placed after another one of its deployment. */
function isLater(one: Copy, other: Copy): boolean {
  const [serial, otherSerial] = [one, other].map(({ instanceId }) => parseInstanceId(instanceId)?.serial ?? 0);
  return serial === otherSerial ? one.epoch > other.epoch : serial! > otherSerial!;
}
