import { Buffer } from "node:buffer";
import fc from "fast-check";
import { generate, parser, type IPublishPacket, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { createCutter, StreamError } from "./frames.ts";
import { isPublish, readPublish, type Published } from "./publish-frame.ts";

const V5 = { protocolVersion: 5 } as const;
const text = fc.string({ unit: "grapheme", maxLength: 40 });
const names = fc.oneof(
  fc.constant("id"),
  text.filter(one => one !== "__proto__" && one !== ""),
);
const properties = fc.record(
  {
    payloadFormatIndicator: fc.boolean(),
    messageExpiryInterval: fc.nat(2 ** 31),
    topicAlias: fc.integer({ min: 1, max: 65_535 }),
    responseTopic: text,
    correlationData: fc.uint8Array({ maxLength: 20 }).map(one => Buffer.from(one)),
    contentType: text,
    subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }),
    userProperties: fc.dictionary(
      names,
      text.filter(one => one !== ""),
      { minKeys: 1, maxKeys: 4 },
    ),
  },
  { requiredKeys: [] },
);
const publish = fc
  .record({
    ...{
      topic: text.filter(one => one !== ""),
      qos: fc.constantFrom(0, 1, 2),
      dup: fc.boolean(),
      retain: fc.boolean(),
    },
    ...{ messageId: fc.integer({ min: 1, max: 65_535 }), properties },
    payload: fc.uint8Array({ maxLength: 300 }).map(one => Buffer.from(one)),
  })
  .map(({ messageId, ...one }) => ({ cmd: "publish", ...one, ...(one.qos === 0 ? {} : { messageId }) }) as Packet);

/** What mqtt-packet makes of it; `undefined` where it refuses it. */
function byParser(bytes: Buffer): Published | undefined {
  const found: Packet[] = [];
  let isRefused = false;
  const parse = parser(V5);
  parse.on("packet", packet => found.push(packet));
  parse.on("error", () => (isRefused = true));
  parse.parse(bytes);
  const packet = found[0] as IPublishPacket | undefined;
  if (isRefused || packet === undefined) return undefined;
  const id = packet.properties?.userProperties?.["id"];
  return {
    ...{ topic: packet.topic, payload: Buffer.from(packet.payload), isRepeated: packet.dup },
    packetId: packet.qos === 0 ? 0 : (packet.messageId ?? 0),
    senderId: typeof id === "string" ? id : undefined,
    subscriptionId: [packet.properties?.subscriptionIdentifier ?? 0].flat().at(-1) ?? 0,
  };
}

function byFrame(bytes: Buffer): Published | undefined {
  try {
    return readPublish(bytes);
  } catch (error) {
    if (error instanceof StreamError) return undefined;
    throw error;
  }
}

describe("a PUBLISH", () => {
  it("is read as mqtt-packet reads it", () => {
    fc.assert(
      fc.property(publish, packet => {
        const bytes = generate(packet, V5);
        expect(isPublish(bytes)).toBe(true);
        expect(byFrame(bytes)).toEqual(byParser(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it("that mqtt-packet refuses is refused, wherever it is cut off or changed", () => {
    const changed = fc.tuple(publish, fc.nat(), fc.nat(255), fc.boolean()).map(([packet, place, value, isCut]) => {
      const [whole = Buffer.alloc(0)] = createCutter(Infinity).push(generate(packet, V5));
      const head = whole.length < 130 ? 2 : 3;
      const at = head + (place % Math.max(1, whole.length - head));
      const body = Buffer.from(isCut ? whole.subarray(head, at) : whole.subarray(head));
      if (!isCut && body.length > 0) body[at - head] = value;
      const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
      return Buffer.concat([Buffer.from([whole[0]!, ...length]), body]);
    });
    fc.assert(
      fc.property(changed, bytes => {
        const read = byFrame(bytes);
        // What mqtt-packet lets through may be no packet of MQTT all the same.
        if (read !== undefined) expect(byParser(bytes)).toEqual(read);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, readonly number[]]>([
    ["a QoS of 3", [0x36, 4, 0, 1, 0x61, 0]],
    ["a topic that is longer than it", [0x30, 3, 0, 9, 0x61]],
    ["no packet id", [0x32, 4, 0, 1, 0x61, 0]],
    ["no properties", [0x30, 3, 0, 1, 0x61]],
    ["properties that are longer than it", [0x30, 4, 0, 1, 0x61, 5]],
    ["a property that is none of a PUBLISH", [0x30, 6, 0, 1, 0x61, 2, 0x24, 1]],
    ["a property that is cut off", [0x30, 6, 0, 1, 0x61, 2, 0x02, 1]],
    ["a number without an end", [0x30, 9, 0, 1, 0x61, 5, 0x0b, 0xff, 0xff, 0xff, 0xff]],
  ])("with %s is refused", (_, bytes) => {
    expect(() => readPublish(Buffer.from(bytes))).toThrow(StreamError);
  });

  it("has no sender's number where it has two", () => {
    const packet = { ...{ cmd: "publish", topic: "a", payload: "x", qos: 0, dup: false, retain: false } } as const;
    const two = generate({ ...packet, properties: { userProperties: { id: ["1", "2"] } } } as Packet, V5);
    expect(readPublish(two).senderId).toBeUndefined();
  });
});
