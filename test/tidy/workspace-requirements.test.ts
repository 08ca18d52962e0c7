import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./sources.ts";

/** One row of the table: a requirement, where it is done, and what shows it. */
interface Row {
  readonly id: string;
  readonly where: string;
  readonly shown: string;
}

const ROOM = "packages/workspace/README.md";
const FIRST = 5;
const LAST = 145;

/** The rows `| R28 | where it is done | file.test.ts "name of the test" |` of a text. */
function rowsOf(text: string): readonly Row[] {
  return text.split("\n").flatMap(line => {
    const [before, id = "", where = "", shown = "", ...after] = line.split(/(?<!\\)\|/).map(cell => cell.trim());
    return before === "" && after.length === 1 && /^R\d+$/.test(id) ? [{ id, where, shown }] : [];
  });
}

/** What is wrong with a row; empty for a good one, and for one that says what is not there yet. */
function problemsOf({ id, where, shown }: Row): readonly string[] {
  if (where === "" || shown === "") return [`${id}: a cell is empty; say where it is done and what shows it`];
  if (/^(not yet|not shown)\b/.test(shown)) return [];
  const tests = [...shown.matchAll(/`?([\w./-]+\.(?:test|contract)\.ts)`? "([^"]+)"/g)];
  if (tests.length === 0) return [`${id}: write file.test.ts "name of the test", or "not shown: why"`];
  return tests.flatMap(([, file = "", name = ""]) => {
    const path = join(root, file);
    if (!existsSync(path)) return [`${id}: ${file} is not there; name it from the root of the repository`];
    return readFileSync(path, "utf8").includes(name) ? [] : [`${id}: ${file} has no test "${name}"`];
  });
}

it("shows where each requirement on workspaces is done, and by which test", () => {
  const rows = rowsOf(readFileSync(join(root, ROOM), "utf8"));
  const known = rows.map(row => row.id);
  const wanted = Array.from({ length: LAST - FIRST + 1 }, (_, index) => `R${FIRST + index}`);
  expect(
    wanted.filter(id => !known.includes(id)),
    `${ROOM} has no row of these`,
  ).toEqual([]);
  expect(
    known.filter((id, index) => known.indexOf(id) !== index),
    "they have two rows",
  ).toEqual([]);
  expect(rows.flatMap(problemsOf)).toEqual([]);
});
