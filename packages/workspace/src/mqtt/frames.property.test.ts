import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCutter } from "./frames.ts";

const packet = fc.tuple(fc.nat(255), fc.integer({ min: 0, max: 20_000 })).map(([type, length]) => {
  const head = [type];
  let rest = length;
  do {
    head.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, type)]);
});

/** A stream of packets, in pieces of any size. */
const stream = fc
  .tuple(fc.array(packet, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1 }))
  .map(([packets, sizes]) => {
    const all = Buffer.concat(packets);
    const pieces: Buffer[] = [];
    for (let at = 0, turn = 0; at < all.length; turn++) {
      const size = sizes[turn % sizes.length]!;
      pieces.push(all.subarray(at, at + size));
      at += size;
    }
    return { packets, pieces };
  });

describe("a stream of packets", () => {
  it("is cut into the same packets, whatever pieces it comes in", () => {
    fc.assert(
      fc.property(stream, ({ packets, pieces }) => {
        const cutter = createCutter(20_010);
        const cut = pieces.flatMap(piece => cutter.push(piece));
        expect(cut.map(String)).toEqual(packets.map(String));
        expect(cutter.rest()).toHaveLength(0);
      }),
    );
  });

  it("ends with a packet that is too large, before it is kept, and with a length that is too long", () => {
    expect(() => createCutter(100).push(Buffer.from([0x30, 99]))).toThrow("a packet of 101 bytes, and 100 are allowed");
    expect(createCutter(100).push(Buffer.from([0x30, 98]))).toEqual([]);
    expect(() => createCutter(1e9).push(Buffer.from([0x30, 255, 255, 255, 255, 1]))).toThrow("more than four bytes");
  });
});
