import { expect, test } from "vitest";
import { culpritsOf } from "./culprits.ts";

const partOf = (all: readonly string[], ids: ReadonlySet<string>): readonly string[] => all.filter(one => ids.has(one));
const ids = Array.from({ length: 1_024 }, (_, at) => `d${at}`);

/** Throws where one of them is there; counts how much it was asked to decide. */
function throwing(...bad: readonly string[]) {
  const asked: number[] = [];
  const decide = (all: readonly string[]): void => {
    asked.push(all.length);
    for (const one of all) if (bad.includes(one)) throw new Error(`${one} is broken`);
  };
  return { asked, decide };
}

test("each of those that make it throw is found, with what it throws", () => {
  const { decide } = throwing("d3", "d4", "d1023");
  const found = culpritsOf({ ids, records: ids, partOf, decide });
  expect([...found].map(([id, error]) => [id, (error as Error).message])).toEqual([
    ["d3", "d3 is broken"],
    ["d4", "d4 is broken"],
    ["d1023", "d1023 is broken"],
  ]);
});

test("one among many costs about as much as deciding four times over", () => {
  const { asked, decide } = throwing("d700");
  culpritsOf({ ids, records: ids, partOf, decide });
  expect(asked.reduce((sum, one) => sum + one, 0)).toBeLessThan(4 * ids.length);
});

test("nobody is found where nothing is thrown, or where it is thrown whoever is there", () => {
  expect(culpritsOf({ ids, records: ids, partOf, decide: () => undefined })).toEqual(new Map());
  const decide = (): void => {
    throw new Error("always");
  };
  expect(culpritsOf({ ids: [], records: [], partOf, decide })).toEqual(new Map());
});
