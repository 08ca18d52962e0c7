import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { deviceUser, type Device } from "@skep/core/workspace/device.ts";
import type { Device as DeviceMessage, DeviceSchema } from "../gen/skep/v1/device_pb.ts";
import { fromUint64, toUint64 } from "./number.ts";

/** A device as a message. */
export function deviceToProto(device: Device): MessageInitShape<typeof DeviceSchema> {
  const { workspaceId, deviceId, enabled, version, createdAt, createdBy, seenAt, denied, deniedAt } = device;
  return {
    ...{ workspaceId, deviceId, enabled, createdBy, userName: deviceUser(device), version: toUint64(version) },
    ...{ createdAt: timestampFromMs(createdAt), denied: toUint64(denied), deniedTopic: device.deniedTopic },
    ...(seenAt === undefined ? {} : { seenAt: timestampFromMs(seenAt) }),
    ...(deniedAt === undefined ? {} : { deniedAt: timestampFromMs(deniedAt) }),
  };
}

/** The device that a message shows. */
export function deviceFromProto(message: DeviceMessage): Device {
  const { workspaceId, deviceId, enabled, createdBy, createdAt, seenAt, deniedAt, deniedTopic } = message;
  return {
    ...{ workspaceId, deviceId, enabled, createdBy, deniedTopic },
    version: fromUint64(message.version, "version"),
    createdAt: createdAt === undefined ? 0 : timestampMs(createdAt),
    seenAt: seenAt === undefined ? undefined : timestampMs(seenAt),
    denied: fromUint64(message.denied, "denied"),
    deniedAt: deniedAt === undefined ? undefined : timestampMs(deniedAt),
  };
}
