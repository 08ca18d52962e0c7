import { expect, it } from "vitest";
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

it("forgets the oldest key rather than remember any number of them", () => {
  const rate = createRate(1, 1_000, () => 0);
  for (let key = 0; key <= 10_000; key++) rate.count(String(key));
  expect([rate.waitMs("0"), rate.waitMs("1"), rate.waitMs("10000")]).toEqual([0, 1_000, 1_000]);
});
