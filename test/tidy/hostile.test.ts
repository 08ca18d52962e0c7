import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as engines from "../integration/workspace/hostile/engines.ts";
import * as floods from "../integration/workspace/hostile/floods.ts";
import * as reach from "../integration/workspace/hostile/reach.ts";
import * as records from "../integration/workspace/hostile/records.ts";
import type { Attempt } from "../support/attempt.ts";
import { root } from "./sources.ts";

const FOLDER = "test/integration/workspace";
const FILES = { records, engines, reach, floods };

/** The attempts of a file, by the names of its tables. */
function tablesOf(file: object): readonly (readonly [string, readonly Attempt<unknown>[]])[] {
  return Object.entries(file)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .filter((one): one is [string, Attempt<unknown>[]] => Array.isArray(one[1]));
}

/** The list of all attempts as the README has it. */
function listed(): string {
  const rows = Object.entries(FILES).flatMap(([file, tables]) =>
    tablesOf(tables).flatMap(([name, attempts]) =>
      attempts.map(({ attempt, answer }) => `| ${file}, ${name.toLowerCase()} | ${attempt} | ${answer} |`),
    ),
  );
  return ["<!-- prettier-ignore -->", "| where | attempt | answer has |", "| --- | --- | --- |", ...rows].join("\n");
}

describe("what a hostile tenant tries", () => {
  it.each(Object.entries(FILES))("has an answer each, and a name of its own (%s)", (_, file) => {
    for (const [name, attempts] of tablesOf(file)) {
      expect(attempts.length, name).toBeGreaterThan(0);
      expect(
        attempts.filter(one => one.answer.trim() === "" || one.attempt.trim() === ""),
        name,
      ).toEqual([]);
      const names = attempts.map(one => one.attempt);
      expect(names, name).toEqual([...new Set(names)]);
    }
  });

  it.each(Object.entries(FILES))("is tried by its test, table by table (%s)", (name, file) => {
    const test = readFileSync(join(root, FOLDER, `hostile-${name}.test.ts`), "utf8");
    for (const [table] of tablesOf(file))
      expect(test).toMatch(new RegExp(`describeAttempts\\(\\s*"[^"]+",\\s*${table},`));
  });

  it("is listed with its answers", () => {
    const readme = readFileSync(join(root, FOLDER, "hostile/README.md"), "utf8");
    expect(readme.slice(readme.indexOf("<!-- prettier-ignore -->")).trim()).toBe(listed());
  });
});
