import { expect, test } from "vitest";
import { duration, linesOf, rate, resultLine, significant } from "./result.ts";

const result = { value: "2.1ms", baseline: "0.7ms", ratio: 3.0004, goal: "<=4", holds: true, because: undefined };

test("a result is one line that a program can split at spaces", () => {
  expect(resultLine("P3", result)).toBe("P3 value=2.1ms baseline=0.7ms ratio=3 goal=<=4 holds");
  expect(resultLine("P3", { ...result, ratio: 4.256, holds: false })).toBe(
    "P3 value=2.1ms baseline=0.7ms ratio=4.26 goal=<=4 short",
  );
});

test("what the same run also measured has lines of its own", () => {
  const also = { rate: { ...result, value: "p99:9ms" }, beside: { ...result, holds: false } };
  expect(linesOf("P3", { ...result, also }).map(([name, one]) => resultLine(name, one))).toEqual([
    "P3 value=2.1ms baseline=0.7ms ratio=3 goal=<=4 holds",
    "P3-rate value=p99:9ms baseline=0.7ms ratio=3 goal=<=4 holds",
    "P3-beside value=2.1ms baseline=0.7ms ratio=3 goal=<=4 short",
  ]);
});

test("numbers keep three significant digits, and large ones all of them", () => {
  expect([0.28134, 5.2, 99.96, 123_456.7].map(significant)).toEqual(["0.281", "5.2", "100", "123457"]);
});

test("units follow the number without a space", () => {
  expect([duration(0.28134), duration(999), duration(3_424), rate(8.71)]).toEqual([
    "0.281ms",
    "999ms",
    "3.42s",
    "8.71/s",
  ]);
});
