import type { ReportedStatus } from "@skep/core/model/report.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ContainerStatus, PortBinding, Refusal } from "@skep/core/model/instance.ts";
import type { InstanceStatus, InstanceStatusSchema } from "../gen/skep/v1/agent_pb.ts";
import type {
  ContainerStatus as ContainerStatusMessage,
  ContainerStatusSchema,
  PortBinding as PortBindingMessage,
  PortBindingSchema,
  Refusal as RefusalMessage,
  RefusalSchema,
} from "../gen/skep/v1/instance_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { parseAddress } from "@skep/core/network/block.ts";
import { countFromProto, toUint32 } from "./number.ts";
import { healths, instanceStates, protocols } from "./words.ts";

/** A status as a message. */
export function statusToProto(status: ReportedStatus): MessageInitShape<typeof InstanceStatusSchema> {
  return {
    instanceId: status.instanceId,
    epoch: status.epoch,
    state: instanceStates.toProto(status.state),
    health: healths.toProto(status.health),
    containers: status.containers.map(containerStatusToProto),
    ports: status.ports.map(portToProto),
    message: status.message,
    address: status.address ?? "",
  };
}

/**
 * @throws SkepError `invalid_argument` for states, healths and protocols that this version does not
 * know, and for an id or an epoch that the records cannot hold.
 */
export function statusFromProto(message: InstanceStatus): ReportedStatus {
  return {
    instanceId: idFromProto(message.instanceId),
    epoch: countFromProto(message.epoch, `epoch of ${message.instanceId}`),
    state: instanceStates.fromProto(message.state, `status of ${message.instanceId}`),
    health: healths.fromProto(message.health, `status of ${message.instanceId}`),
    containers: message.containers.map(containerStatusFromProto),
    ports: message.ports.map(port => portFromProto(port, message.instanceId)),
    // It holds words of engines and of tenants' programs, and no database stores a NUL character.
    message: message.message.replaceAll("\0", "\uFFFD"),
    ...addressFromProto(message.address, message.instanceId),
  };
}

/** @throws SkepError `invalid_argument` for what is no IPv4 address. */
function addressFromProto(address: string, instanceId: string): { readonly address?: string } {
  if (address === "") return {};
  if (parseAddress(address) !== undefined) return { address };
  const sentence = `${JSON.stringify(address)} is no address that ${instanceId} could have; look into its node.`;
  throw new SkepError("invalid_argument", "MALFORMED_ADDRESS", sentence);
}

/** @throws SkepError `invalid_argument` for a NUL character, which no database stores. */
export function idFromProto(id: string): string {
  if (!id.includes("\0")) return id;
  const sentence = `${JSON.stringify(id)} has a NUL character and is no instance's; look into its node.`;
  throw new SkepError("invalid_argument", "MALFORMED_ID", sentence);
}

/** A port binding as a message. */
export function portToProto(port: PortBinding): MessageInitShape<typeof PortBindingSchema> {
  return { ...port, protocol: protocols.toProto(port.protocol) };
}

/**
 * @throws SkepError `invalid_argument` for a protocol that this version does not know; `owner` is
 * named in it.
 */
export function portFromProto(message: PortBindingMessage, owner: string): PortBinding {
  return {
    container: message.container,
    containerPort: message.containerPort,
    protocol: protocols.fromProto(message.protocol, `port ${message.containerPort} of ${owner}`),
    hostPort: message.hostPort,
  };
}

/** A container's status as a message. */
export function containerStatusToProto(status: ContainerStatus): MessageInitShape<typeof ContainerStatusSchema> {
  return { ...status, restarts: toUint32(status.restarts) };
}

/** A message as a container's status. */
export function containerStatusFromProto(message: ContainerStatusMessage): ContainerStatus {
  const { name, id, imageId, running, exitCode, restarts } = message;
  return { name, id, imageId, running, exitCode, restarts };
}

/** A refusal as a message. */
export function refusalToProto(refusal: Refusal): MessageInitShape<typeof RefusalSchema> {
  return { removed: refusal.removed.map(one => ({ ...one })), advice: refusal.advice };
}

/** A message as a refusal. */
export function refusalFromProto(message: RefusalMessage): Refusal {
  return {
    removed: message.removed.map(({ filter, nodes, sentence }) => ({ filter, nodes, sentence })),
    advice: message.advice,
  };
}
