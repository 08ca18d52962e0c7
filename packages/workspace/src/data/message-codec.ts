import { fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { DeadLetterSchema, MessageSchema } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import { Binary } from "mongodb";
import type { InspectedLetter, LetterLine } from "../database/models/dead-letters.ts";
import type { MessageDocument } from "../message.ts";

/** A message as it is answered. */
export function messageToProto(document: MessageDocument): MessageInitShape<typeof MessageSchema> {
  const { _id: id, deviceId, category, type, at, receivedAt, value, schema = "" } = document;
  const bytes = bytesOf(value);
  return {
    ...{ id, deviceId, category, type, schema },
    ...{ at: timestampFromDate(at), receivedAt: timestampFromDate(receivedAt) },
    content:
      bytes === undefined
        ? { case: "value", value: fromJson(ValueSchema, jsonOf(value)) }
        : { case: "payload", value: bytes },
  };
}

/** A dead letter of a list, or one with its bytes. */
export function letterToProto(
  letter: LetterLine & Partial<InspectedLetter>,
): MessageInitShape<typeof DeadLetterSchema> {
  const { _id: id, topic, receivedAt, because, payload, cutFrom = 0 } = letter;
  return {
    ...{ id, topic, because, receivedAt: timestampFromDate(receivedAt), cutFrom: BigInt(cutFrom) },
    ...(payload === undefined ? {} : { payload: Uint8Array.from(payload) }),
  };
}

/** Readers of protobuf follow a hundred messages in each other, and a level is three. */
const DEEPEST = 30;
const BEYOND = "…";

/** What JSON lacks becomes the nearest that it has: no value of a device fails an answer. */
function jsonOf(value: unknown, depth = 0): JsonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  const bytes = bytesOf(value);
  if (bytes !== undefined) return Buffer.from(bytes).toString("base64");
  if (typeof value === "object" && depth >= DEEPEST) return BEYOND;
  if (Array.isArray(value)) return value.map(one => jsonOf(one, depth + 1));
  if (typeof value !== "object" || "_bsontype" in value) return String(value as string);
  if (value instanceof Map) return jsonOf(Object.fromEntries(value), depth);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, jsonOf(one, depth + 1)]));
}

function bytesOf(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (value instanceof Binary) return Uint8Array.from(value.buffer.subarray(0, value.position));
  return value instanceof Uint8Array ? Uint8Array.from(value) : undefined;
}
