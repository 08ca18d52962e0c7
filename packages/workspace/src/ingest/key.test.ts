import { describe, expect, it } from "vitest";
import { createKeyMaker } from "./key.ts";
import { deliveryOf } from "./testing/pipeline-rig.ts";

describe("the key of a message", () => {
  it("grows with the time, so that an index of keys grows at one end", () => {
    const keys = createKeyMaker();
    const times = [0, 9, 10, 1_000, 1_700_000_000_000, 2_900_000_000_000];
    const made = times.map(now => keys.fresh(deliveryOf(1), now));
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made.map(one => one.length)).size).toBe(1);
  });

  it("is in the order of what was read, also within a millisecond", () => {
    const keys = createKeyMaker();
    const payloads = Array.from({ length: 100 }, (_, at) => Buffer.from(String(at)));
    const made = payloads.map((payload, at) => keys.fresh(deliveryOf(at + 1, { payload }), at < 50 ? 1_000 : 1_001));
    expect(made.toSorted()).toEqual(made);
  });

  it("says nothing of the time where its sender numbers what it sends", () => {
    const keys = createKeyMaker();
    const sent = deliveryOf(1, { senderId: "m-1" });
    expect(keys.fresh(sent, 1)).toBe(keys.fresh(sent, 2));
  });
});
