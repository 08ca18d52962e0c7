import { create, toJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import type { Device } from "@skep/core/workspace/device.ts";
import { DeviceSchema } from "../../gen/skep/v1/device_pb.ts";
import { deviceFromProto, deviceToProto } from "../device.ts";
import type { AnswerCodec } from "./answer.ts";
import { ENUMS, malformed, objectOf, readMessage, STORED_VERSION, versionOf } from "./version.ts";

const WHAT = "A device";

/** Answers that are several devices. No secret is in them: it is worked out anew. */
export const devicesAnswer: AnswerCodec<readonly Device[]> = {
  encode: devices => ({ version: STORED_VERSION, devices: devices.map(toStored) }),
  decode: json => {
    const stored = objectOf(json, WHAT);
    versionOf(stored, WHAT);
    const { devices } = stored;
    if (!Array.isArray(devices)) throw malformed(WHAT, "its devices are no list");
    return devices.map(fromStored);
  },
};

/** Answers that are a device. */
export const deviceAnswer: AnswerCodec<Device> = {
  encode: device => ({ version: STORED_VERSION, device: toStored(device) }),
  decode: json => {
    const stored = objectOf(json, WHAT);
    versionOf(stored, WHAT);
    return fromStored(stored["device"] ?? null);
  },
};

function toStored(device: Device): JsonObject {
  return toJson(DeviceSchema, create(DeviceSchema, deviceToProto(device)), ENUMS) as JsonObject;
}

function fromStored(json: JsonValue): Device {
  return deviceFromProto(readMessage(DeviceSchema, json, WHAT));
}
