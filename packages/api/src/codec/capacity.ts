import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Capacity, NodeLoad } from "@skep/core/model/node.ts";
import type {
  Capacity as CapacityMessage,
  CapacitySchema,
  NodeLoad as NodeLoadMessage,
} from "../gen/skep/v1/node_pb.ts";
import { fromUint64, toUint64 } from "./number.ts";

/** A capacity as a message. */
export function capacityToProto(capacity: Capacity): MessageInitShape<typeof CapacitySchema> {
  return { ...capacity, memoryBytes: toUint64(capacity.memoryBytes) };
}

/** A message as a capacity; an absent one is of nothing. */
export function capacityFromProto(message: CapacityMessage | undefined): Capacity {
  return {
    cpuMillis: message?.cpuMillis ?? 0,
    memoryBytes: fromUint64(message?.memoryBytes ?? 0n, "capacity.memory_bytes"),
    instances: message?.instances ?? 0,
    portFrom: message?.portFrom ?? 0,
    portTo: message?.portTo ?? 0,
  };
}

/** A message as a load; absent stays absent. */
export function loadFromProto(message: NodeLoadMessage | undefined): NodeLoad | undefined {
  return message === undefined ? undefined : { cpuShare: message.cpuShare, memoryShare: message.memoryShare };
}
