import fc from "fast-check";
import { expect, test } from "vitest";
import { pairKeys } from "./compare.ts";

async function* listOf(keys: readonly string[]): AsyncGenerator<string> {
  for (const key of keys) yield await Promise.resolve(key);
}

async function missing(left: readonly string[], right: readonly string[]) {
  const found = { left: [] as string[], right: [] as string[], both: 0 };
  for await (const [a, b] of pairKeys(listOf(left), listOf(right))) {
    if (a === undefined) found.left.push(b!);
    else if (b === undefined) found.right.push(a);
    else found.both += 1;
  }
  return found;
}

test("what one of two lists lacks is named, wherever it stands", async () => {
  expect(await missing(["a", "b", "c"], ["a", "c", "d"])).toEqual({ left: ["d"], right: ["b"], both: 2 });
  expect(await missing([], ["a"])).toEqual({ left: ["a"], right: [], both: 0 });
  expect(await missing(["a", "b"], [])).toEqual({ left: [], right: ["a", "b"], both: 0 });
  expect(await missing([], [])).toEqual({ left: [], right: [], both: 0 });
});

test("any two lists are taken apart as sets are, in the order of their bytes", async () => {
  const ordered = fc
    .uniqueArray(fc.string({ unit: fc.constantFrom("a", "B", "é", "\uFFFD", "😀"), maxLength: 3 }))
    .map(keys => keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  await fc.assert(
    fc.asyncProperty(ordered, ordered, async (left, right) => {
      expect(await missing(left, right)).toEqual({
        left: right.filter(key => !left.includes(key)),
        right: left.filter(key => !right.includes(key)),
        both: left.filter(key => right.includes(key)).length,
      });
    }),
    { numRuns: 100 },
  );
});

test("both lists are let go of where nobody reads on", async () => {
  const ended: string[] = [];
  async function* endless(name: string): AsyncGenerator<string> {
    try {
      for (let at = 0; ; at++) yield await Promise.resolve(String(at).padStart(9, "0"));
    } finally {
      ended.push(name);
    }
  }
  for await (const _ of pairKeys(endless("a"), endless("b"))) break;
  expect(ended.toSorted()).toEqual(["a", "b"]);
});
