import { expect, test } from "vitest";
import { interleave, ratios } from "./rounds.ts";

test("every contestant runs once per round, and each begins in its turn", async () => {
  const order: string[] = [];
  const samples = await interleave(3, {
    ours: round => order.push(`ours ${round}`),
    baseline: async round => order.push(`baseline ${round}`),
  });
  expect(order).toEqual(["ours 0", "baseline 0", "baseline 1", "ours 1", "ours 2", "baseline 2"]);
  expect(samples).toEqual({ ours: [1, 4, 5], baseline: [2, 3, 6] });
});

test("a warm-up leaves no samples", async () => {
  let runs = 0;
  const samples = await interleave(2, { only: () => ++runs }, true);
  expect(samples.only).toEqual([2, 3]);
});

test("ratios compare what ran in the same round", () => {
  expect(ratios([10, 30], [5, 10])).toEqual([2, 3]);
});
