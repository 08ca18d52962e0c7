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
  readonly instances: readonly InstanceEpoch[];
}

/** The answer: which of them may run on, and for how long from when the request was sent. */
export interface LeaseReply {
  readonly granted: readonly InstanceEpoch[];
  readonly leaseMs: number;
}

/** Writes an agent's request. */
export function encodeLeaseRequest({ nodeId, instances }: LeaseRequest): Uint8Array {
  return encodeMessage(RenewLeasesSchema, { nodeId, instances: instances.map(toEpoch) });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeLeaseRequest(bytes: Uint8Array): LeaseRequest {
  const { nodeId, instances } = decodeMessage(RenewLeasesSchema, bytes);
  return { nodeId, instances: instances.map(toEpoch) };
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
