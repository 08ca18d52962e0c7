import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventsBucket, fullBucket, refill, take, type Bucket } from "./bucket.ts";

const size = { perSecond: 10, burst: 5 };

describe("a bucket of tokens", () => {
  it("gives its burst at once and then one for each that comes back", () => {
    let bucket: Bucket | undefined = fullBucket(size, 0);
    for (let i = 0; i < 5; i++) bucket = take(bucket!, size, 0);
    expect(bucket).toEqual({ tokens: 0, at: 0 });
    expect(take(bucket!, size, 99)).toBeUndefined();
    expect(take(bucket!, size, 100)).toEqual({ tokens: 0, at: 100 });
  });

  it("never holds more than its burst", () => {
    expect(refill({ tokens: 0, at: 0 }, size, 3_600_000).tokens).toBe(5);
    expect(refill({ tokens: 50, at: 0 }, size, 0).tokens).toBe(5);
  });

  it("gives nothing for a clock that went back", () => {
    expect(take({ tokens: 0, at: 1_000 }, size, 0)).toBeUndefined();
    expect(refill({ tokens: 0, at: 1_000 }, size, 0).at).toBe(1_000);
  });

  it("takes nothing where it refuses", () => {
    expect(take({ tokens: 2, at: 0 }, size, 0, 3)).toBeUndefined();
    expect(take({ tokens: 2, at: 0 }, size, 0, 2)).toEqual({ tokens: 0, at: 0 });
  });

  it("never lets through more than the burst and the rate times the time", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 200 }), steps => {
        const events = eventsBucket(20);
        let [now, given, bucket] = [0, 0, fullBucket(events, 0)];
        for (const step of steps) {
          now += step;
          const next = take(bucket, events, now);
          if (next !== undefined) [given, bucket] = [given + 1, next];
        }
        expect(given).toBeLessThanOrEqual(20 + (20 * now) / 1_000 + 1e-6);
      }),
    );
  });
});
