import { expect, test } from "vitest";
import { mayHaveGiven, STAMPS_KEPT, stampOf, withStamp } from "./assignment-line.ts";

const line = { revision: 9, stamps: [17, 18, 19] };

test.each([
  ["the revision that they gave last", { revision: 9, stamp: 19 }, true],
  ["one of those before", { revision: 7, stamp: 17 }, true],
  ["another one of the last number", { revision: 9, stamp: 99 }, false],
  ["another one of a number before", { revision: 8, stamp: 99 }, false],
  ["the stamp of another number", { revision: 8, stamp: 19 }, false],
  ["one that is older than the stamps", { revision: 6, stamp: 99 }, true],
  ["one that came without a stamp", { revision: 8 }, true],
  ["a number that they have not reached", { revision: 10, stamp: 99 }, true],
] as const)("records tell whether they may have given %s", (_, held, is) => {
  expect(mayHaveGiven(line, held)).toBe(is);
});

test("records without stamps deny nothing", () => {
  expect(mayHaveGiven({ revision: 9, stamps: [] }, { revision: 9, stamp: 99 })).toBe(true);
  expect(stampOf({ stamps: [] })).toEqual({});
});

test("the latest stamps are kept, and the last is the line's own", () => {
  const stamps = Array.from({ length: STAMPS_KEPT }, (_, at) => at + 1);
  const grown = withStamp(stamps, 1_000);
  expect([grown.length, grown[0], stampOf({ stamps: grown })]).toEqual([STAMPS_KEPT, 2, { stamp: 1_000 }]);
});
