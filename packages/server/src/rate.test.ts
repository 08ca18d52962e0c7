import { describe, expect, it } from "vitest";
import { createRate } from "./rate.ts";

it("lets a key wait from its limit to the end of its window, and no other key", () => {
  let now = 0;
  const rate = createRate(2, 100, () => now);
  rate.count("a");
  expect(rate.waitMs("a")).toBe(0);
  now = 40;
  rate.count("a");
  expect([rate.waitMs("a"), rate.waitMs("b")]).toEqual([60, 0]);
  now = 100;
  expect(rate.waitMs("a")).toBe(0);
});

describe("more keys than are remembered", () => {
  const LIMIT = 3;
  const crowded = (now: () => number) => {
    const rate = createRate(LIMIT, 1_000, now);
    for (let count = 0; count < LIMIT; count++) rate.count("first");
    for (let key = 1; key < 10_000; key++) rate.count(String(key));
    return rate;
  };

  it("take nobody's window away, and share one", () => {
    const rate = crowded(() => 0);
    for (let key = 0; key < LIMIT; key++) rate.count(`late-${key}`);
    expect([rate.waitMs("first"), rate.waitMs("1")]).toEqual([1_000, 0]);
    expect([rate.waitMs("late-0"), rate.waitMs("another")]).toEqual([1_000, 1_000]);
  });

  it("have windows of their own again when the others have ended", () => {
    let now = 0;
    const rate = crowded(() => now);
    for (let key = 0; key < LIMIT; key++) rate.count(`late-${key}`);
    now = 1_000;
    expect(["first", "late-0", "another"].map(key => rate.waitMs(key))).toEqual([0, 0, 0]);
    rate.count("another");
    for (let count = 0; count < LIMIT; count++) rate.count("late-0");
    expect(["another", "late-0"].map(key => rate.waitMs(key))).toEqual([0, 1_000]);
  });
});
