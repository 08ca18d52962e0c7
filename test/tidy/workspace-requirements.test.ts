import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./sources.ts";

/** Every number in the first column of the table, ranges such as `R74..R84` included. */
function numbersIn(readme: string): ReadonlySet<number> {
  const firsts = readme.split("\n").flatMap(line => /^\| (R\d[^|]*)\|/.exec(line)?.[1] ?? []);
  const ranges = firsts.flatMap(first => [...first.matchAll(/R(\d+)(?:\.\.R(\d+))?/g)]);
  return new Set(
    ranges.flatMap(([, from, to = from]) =>
      Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => Number(from) + at),
    ),
  );
}

it("says of each requirement of the workspace, R5 to R145, where it is done and what shows it", () => {
  const known = numbersIn(readFileSync(join(root, "packages/workspace/README.md"), "utf8"));
  const all = Array.from({ length: 141 }, (_, at) => at + 5);
  expect(all.filter(one => !known.has(one)).map(one => `R${one}`)).toEqual([]);
});
