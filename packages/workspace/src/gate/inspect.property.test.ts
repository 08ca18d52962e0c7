import { Buffer } from "node:buffer";
import fc from "fast-check";
import { generate, parser, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { mayPublish, maySubscribe } from "@skep/core/workspace/topic.ts";
import { createInspector } from "./inspect.ts";

const DEVICE = { workspaceId: "acme", deviceId: "d1" };
const level = fc.oneof(
  fc.constantFrom(
    "acme",
    "other",
    "devices",
    "d1",
    "d2",
    "telemetry",
    "commands",
    "x",
    "",
    ".",
    "..",
    "+",
    "#",
    "$share",
  ),
  fc.constantFrom("$SYS", "d1\u0000", "d1 ", "D1", "\u0000", "+d1", "d1#", "\ud800", "d\u0131"),
  fc.string({ maxLength: 6, unit: "binary" }),
);
const own = fc.constantFrom(["acme", "devices", "d1"], ["acme", "devices", "d2"], ["$share", "g", "acme"], []);
const hostile = fc.tuple(own, fc.array(level, { maxLength: 5 })).map(([front, rest]) => [...front, ...rest].join("/"));
const version = fc.constantFrom(3 as const, 4 as const, 5 as const);

function publish(topic: string, qos: number, protocolVersion: number): Buffer {
  const text = Buffer.from(topic);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  const body = [
    length,
    text,
    ...(qos > 0 ? [Buffer.from([0, 7])] : []),
    ...(protocolVersion === 5 ? [Buffer.from([0])] : []),
  ];
  const all = Buffer.concat([...body, Buffer.from("payload")]);
  return Buffer.concat([Buffer.from([0x30 | (qos << 1)]), lengthOf(all.length), all]);
}

function lengthOf(length: number): Buffer {
  return length < 128 ? Buffer.from([length]) : Buffer.from([(length % 128) + 128, Math.floor(length / 128)]);
}

/** What the broker would read out of it. */
function topicIn(bytes: Buffer, protocolVersion: number): string | undefined {
  let topic: string | undefined;
  const parse = parser({ protocolVersion });
  parse.on("packet", packet => (topic = packet.cmd === "publish" ? packet.topic : undefined));
  parse.on("error", () => undefined);
  parse.parse(bytes);
  return topic;
}

describe("what a device sends", () => {
  it("passes only where its topic is the device's own, whatever the topic", () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom(0, 1, 2), version, (topic, qos, protocolVersion) => {
        const bytes = publish(topic, qos, protocolVersion);
        const verdict = createInspector(DEVICE, protocolVersion)(bytes);
        const read = topicIn(bytes, protocolVersion) ?? "";
        const [front, root, id, category] = read.split("/");
        const isOwn = front === "acme" && root === "devices" && id === "d1" && category !== "commands";
        if (verdict.kind === "pass") expect(isOwn).toBe(true);
        if (mayPublish(topic, DEVICE)) expect(verdict.kind).toBe("pass");
        else expect(verdict.kind).not.toBe("pass");
      }),
      { numRuns: 500 },
    );
  });

  it("subscribes only below its own topics, whatever else stands in the same packet", () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 4 }), version, (topics, protocolVersion) => {
        const filters = topics.filter(one => one !== "" && !one.includes("\0") && one.isWellFormed());
        if (filters.length === 0) return;
        const subscriptions = filters.map(topic => ({ topic, qos: 1 as const }));
        const packet = { cmd: "subscribe", messageId: 9, subscriptions } as unknown as Packet;
        const verdict = createInspector(DEVICE, protocolVersion)(generate(packet, { protocolVersion }));
        expect(verdict.kind === "pass").toBe(filters.every(one => maySubscribe(one, DEVICE)));
      }),
      { numRuns: 500 },
    );
  });

  it("never makes it throw, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.uint8Array({ maxLength: 100 }), version, (type, body, protocolVersion) => {
        const bytes = Buffer.concat([Buffer.from([type, body.length]), body]);
        const { kind } = createInspector(DEVICE, protocolVersion)(bytes);
        expect(["pass", "denied", "answered", "end"]).toContain(kind);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is answered to its end in QoS 2 where 3.1.1 knows no error, and only what was denied", () => {
    const inspect = createInspector(DEVICE, 4);
    const release = generate({ cmd: "pubrel", messageId: 7 } as Packet);
    expect(inspect(publish("other/devices/d1/telemetry", 2, 4))).toMatchObject({ kind: "denied" });
    expect(inspect(release)).toMatchObject({ kind: "answered" });
    expect(inspect(release).kind).toBe("pass");
    expect(inspect(publish("other/devices/d1/telemetry", 2, 4)).kind).toBe("denied");
    expect(inspect(publish("acme/devices/d1/telemetry", 2, 4)).kind).toBe("pass");
    expect(inspect(release).kind).toBe("pass");
  });
});
