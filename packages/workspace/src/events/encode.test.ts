import { Decoder } from "socket.io-parser";
import { describe, expect, it } from "vitest";
import { encodeEvent, framesOf } from "./encode.ts";

const offset = { ms: 5, seq: 1 };
const event = { topic: "devices/d1/status", data: { on: true }, at: 7 };

function decode(entry: ReturnType<typeof encodeEvent>): unknown {
  const decoder = new Decoder();
  let packet: unknown;
  decoder.on("decoded", decoded => (packet = decoded));
  decoder.add(entry.packet);
  for (const part of entry.parts) decoder.add(part);
  return packet;
}

describe("an encoded event", () => {
  it("is what a client of Socket.IO reads, its offset last", () => {
    const entry = encodeEvent("/ws/shop", event, offset);
    expect(decode(entry)).toMatchObject({ type: 2, nsp: "/ws/shop", data: ["event", event, "5-1"] });
    expect(entry.bytes).toBe(entry.packet.length + event.topic.length);
  });

  it("carries bytes as bytes", () => {
    const bytes = new Uint8Array([0, 255, 1]).subarray(1);
    const entry = encodeEvent("/ws/shop", { ...event, data: { raw: bytes, n: 1 } }, offset);
    expect(entry.parts).toEqual([Buffer.from([255, 1])]);
    expect(decode(entry)).toMatchObject({ data: ["event", { data: { raw: Buffer.from([255, 1]), n: 1 } }, "5-1"] });
    expect(framesOf(entry).map(frame => frame.wire[0])).toEqual([0x81, 0x82]);
  });

  it.each([10, 125, 126, 65_535, 65_536, 70_000])("has a frame of the right length: %i", length => {
    const [frame] = framesOf({ offset, topic: "", packet: "x".repeat(length - 1), parts: [], bytes: 0 });
    const wire = frame!.wire;
    const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    expect(wire.length).toBe(head + length);
    const told = head === 2 ? wire[1] : head === 4 ? wire.readUInt16BE(2) : Number(wire.readBigUInt64BE(2));
    expect(told).toBe(length);
    expect(wire.toString("latin1", head, head + 3)).toBe("4xx");
  });

  it("is refused where a client would hang up over it", () => {
    const trap = { raw: new Uint8Array(1), trap: { _placeholder: true, num: 99 } };
    const many = Array.from({ length: 11 }, () => new Uint8Array(1));
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    for (const data of [trap, many, circle, 1n]) {
      expect(() => encodeEvent("/ws/shop", { ...event, data }, offset)).toThrow();
    }
    const harmless = encodeEvent("/ws/shop", { ...event, data: trap.trap }, offset);
    expect(decode(harmless)).toMatchObject({ data: ["event", { data: trap.trap }, "5-1"] });
  });
});
