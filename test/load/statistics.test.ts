import { expect, test } from "vitest";
import { median, quantile, worst } from "./statistics.ts";

test("the median of an even number of samples lies between the two in the middle", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([9, 1, 5])).toBe(5);
});

test("a quantile is interpolated between neighbours, and its ends are the least and the most", () => {
  const samples = [10, 20, 30, 40, 50];
  expect(quantile(samples, 0)).toBe(10);
  expect(quantile(samples, 0.99)).toBeCloseTo(49.6);
  expect(quantile(samples, 1)).toBe(50);
});

test("the worst of rates is the least, and of times the most", () => {
  expect(worst([3, 1, 2], "higher")).toBe(1);
  expect(worst([3, 1, 2], "lower")).toBe(3);
});

test("no samples have no median", () => {
  expect(() => median([])).toThrow(RangeError);
});
