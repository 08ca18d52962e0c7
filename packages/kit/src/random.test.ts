import { expect, test } from "vitest";
import { createIdSource, seededRandom, systemIds } from "./random.ts";

const draw = (seed: number, count = 1_000): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random());
};

test("the same seed gives the same numbers, and another seed others", () => {
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7, 5)).not.toEqual(draw(8, 5));
});

test("numbers are at least 0, less than 1, and spread evenly, also over neighbouring seeds", () => {
  const numbers = [...draw(1), ...Array.from({ length: 1_000 }, (_, seed) => draw(seed, 1)[0]!)];
  expect(numbers.every(number => number >= 0 && number < 1)).toBe(true);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
});

test("ids bear their prefix, and repeat only with their seed", () => {
  const [one, again] = [createIdSource(seededRandom(1)), createIdSource(seededRandom(1))];
  expect(one("tick")).toBe(again("tick"));
  expect(one("tick")).not.toBe(one("tick"));
  expect(systemIds("tick")).toMatch(/^tick_[0-9a-z]{16}$/);
});
