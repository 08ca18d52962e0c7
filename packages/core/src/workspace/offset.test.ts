import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareOffsets, formatOffset, nextOffset, offsetBefore, parseOffset } from "./offset.ts";

describe("an offset", () => {
  it("grows whatever the clock does", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2_000_000_000_000)), times => {
        let last = { ms: 1_700_000_000_000, seq: 0 };
        for (const now of times) {
          const next = nextOffset(last, now);
          expect(compareOffsets(last, next)).toBeLessThan(0);
          expect(parseOffset(formatOffset(next))).toEqual(next);
          last = next;
        }
      }),
    );
  });

  it("has one just before it", () => {
    expect(offsetBefore({ ms: 5, seq: 2 })).toEqual({ ms: 5, seq: 1 });
    const before = offsetBefore({ ms: 5, seq: 0 });
    expect(compareOffsets({ ms: 4, seq: 1_000 }, before)).toBeLessThan(0);
    expect(compareOffsets(before, { ms: 5, seq: 0 })).toBeLessThan(0);
    expect(parseOffset(formatOffset(before))).toEqual(before);
  });

  it("is refused where it is none", () => {
    for (const text of ["", "1", "-1-1", "1-", "1-1-1", "1e3-0", "0x1-0", " 1-1", "1-1\n", "99999999999999999-0"])
      expect(parseOffset(text), text).toBeUndefined();
    expect(parseOffset("9999999999999999-0")).toBeUndefined();
  });

  it("is a whole ms for a clock that tells parts", () => {
    expect(nextOffset({ ms: 1, seq: 7 }, 2.7)).toEqual({ ms: 2, seq: 0 });
  });
});
