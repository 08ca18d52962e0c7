import { expect, it } from "vitest";
import { numberPattern } from "./number-pattern.ts";

it.each([
  [0, 0],
  [0, 7],
  [3, 9],
  [0, 10],
  [1, 1000],
  [99, 1203],
  [250, 255],
  [100, 999],
])("fits the numbers from %i to %i and nothing else", (from, to) => {
  const pattern = new RegExp(numberPattern(BigInt(from), BigInt(to)));
  for (let number = 0; number <= 2_000; number++)
    expect([number, pattern.test(String(number))]).toEqual([number, number >= from && number <= to]);
  for (const text of ["", "-1", "007", "1.5", "1e3", " 5"]) expect(pattern.test(text)).toBe(false);
});

it("reaches to the largest number of 64 bits", () => {
  const pattern = new RegExp(numberPattern(0n, 18_446_744_073_709_551_615n));
  expect(pattern.test("18446744073709551615")).toBe(true);
  expect(pattern.test("18446744073709551616")).toBe(false);
});
