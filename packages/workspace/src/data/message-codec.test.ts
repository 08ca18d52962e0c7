import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { DeadLetterSchema, MessageSchema } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import { Binary, Decimal128 } from "mongodb";
import { expect, it } from "vitest";
import { letterToProto, messageToProto } from "./message-codec.ts";

const at = new Date(0);
const message = (value: unknown) =>
  messageToProto({ _id: "m", deviceId: "d", category: "telemetry", type: "x", at, receivedAt: at, value });
const json = (value: unknown): unknown =>
  (toJson(MessageSchema, create(MessageSchema, message(value))) as { value?: unknown }).value;

it.each([
  [
    { t: 1.5, ok: true, text: "a", none: null, list: [1, "b"] },
    { t: 1.5, ok: true, text: "a", none: null, list: [1, "b"] },
  ],
  [
    { t: Number.NaN, u: Infinity },
    { t: "NaN", u: "Infinity" },
  ],
  [
    { n: 12n, big: 2n ** 70n },
    { n: 12, big: String(2n ** 70n) },
  ],
  [
    { at: new Date(0), bad: new Date(Number.NaN) },
    { at: "1970-01-01T00:00:00.000Z", bad: null },
  ],
  [
    { bytes: new Binary(Buffer.from([1, 2])), raw: Uint8Array.of(3) },
    { bytes: "AQI=", raw: "Aw==" },
  ],
  [{ price: Decimal128.fromString("1.10") }, { price: "1.10" }],
  [new Map([["a", 1]]), { a: 1 }],
  [undefined, null],
  ["text", "text"],
])("answers as JSON, whatever a device sent (%#)", (value, expected) => {
  expect(json(value)).toEqual(expected);
});

it("answers a value that is deeper than any reader follows, up to a depth", () => {
  let deep: unknown = 1;
  for (let n = 0; n < 1_000; n += 1) deep = { deep };
  const whole = fromBinary(MessageSchema, toBinary(MessageSchema, create(MessageSchema, message(deep))));
  expect(JSON.stringify(toJson(MessageSchema, whole))).toContain('{"deep":"…"}');
  const list = JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`) as unknown;
  const other = create(MessageSchema, message(list));
  expect(fromBinary(MessageSchema, toBinary(MessageSchema, other))).toEqual(other);
});

it("answers what is no JSON as bytes", () => {
  expect(message(new Binary(Buffer.from([0, 255]))).content).toEqual({ case: "payload", value: Uint8Array.of(0, 255) });
  expect(message(Uint8Array.of(7)).content).toEqual({ case: "payload", value: Uint8Array.of(7) });
});

it("answers dead letters with and without their bytes", () => {
  const line = { _id: "l", topic: "t", receivedAt: at, because: "no JSON" };
  expect(create(DeadLetterSchema, letterToProto(line))).toMatchObject({ id: "l", payload: new Uint8Array() });
  const whole = letterToProto({ ...line, payload: Uint8Array.of(1), cutFrom: 9 });
  expect(create(DeadLetterSchema, whole)).toMatchObject({ payload: Uint8Array.of(1), cutFrom: 9n });
});
