import type { LeaseClaim } from "@skep/core/identity/bridge.ts";
import { RenewLeasesReplySchema, RenewLeasesSchema } from "../gen/skep/v1/agent_pb.ts";
import { decodeMessage, encodeMessage } from "./envelope.ts";

/** An instance at one epoch. */
export interface InstanceEpoch {
  readonly instanceId: string;
  readonly epoch: number;
}

/** An agent's request to go on running exclusive instances. */
export interface LeaseRequest {
  readonly nodeId: string;
  readonly instances: readonly LeaseClaim[];
}

/** The answer: which of them may run on, and for how long from when the request was sent. */
export interface LeaseReply {
  readonly granted: readonly InstanceEpoch[];
  readonly leaseMs: number;
}

/** Writes an agent's request. */
export function encodeLeaseRequest({ nodeId, instances }: LeaseRequest): Uint8Array {
  return encodeMessage(RenewLeasesSchema, {
    nodeId,
    instances: instances.map(toEpoch),
    held: instances.filter(one => one.isHeld).map(toEpoch),
  });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeLeaseRequest(bytes: Uint8Array): LeaseRequest {
  const { nodeId, instances, held } = decodeMessage(RenewLeasesSchema, bytes);
  const isHeld = (of: InstanceEpoch): boolean =>
    held.some(one => one.instanceId === of.instanceId && one.epoch === of.epoch);
  return { nodeId, instances: instances.map(one => ({ ...toEpoch(one), isHeld: isHeld(one) })) };
}

/** Writes the answer. */
export function encodeLeaseReply({ granted, leaseMs }: LeaseReply): Uint8Array {
  return encodeMessage(RenewLeasesReplySchema, { granted: granted.map(toEpoch), leaseMs });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeLeaseReply(bytes: Uint8Array): LeaseReply {
  const { granted, leaseMs } = decodeMessage(RenewLeasesReplySchema, bytes);
  return { granted: granted.map(toEpoch), leaseMs };
}

function toEpoch({ instanceId, epoch }: InstanceEpoch): InstanceEpoch {
  return { instanceId, epoch };
}
