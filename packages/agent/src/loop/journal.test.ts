import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFileJournal, createMemoryJournal, EMPTY_ENTRY, type Journal } from "./journal.ts";
import { anAssignment, anInstance } from "../testing/builders.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "skep-journal-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe.each([
  ["the file", () => createFileJournal(join(dir, "state"), () => {})],
  ["the twin", () => createMemoryJournal()],
] as [string, () => Journal][])("%s", (_, make) => {
  test("is empty at first and then holds what was written last", async () => {
    const journal = make();
    expect(await journal.read()).toEqual(EMPTY_ENTRY);
    const entry = {
      assignment: anAssignment({ revision: 2, instances: [anInstance()] }),
      epochs: { "acme.web.1": 1 },
      bootId: "b",
    };
    await journal.write({ ...entry, epochs: {} });
    await journal.write(entry);
    expect(await journal.read()).toEqual(entry);
  });
});

test("the file is for the agent's eyes only and nothing half-written stays beside it", async () => {
  await createFileJournal(join(dir, "own"), () => {}).write(EMPTY_ENTRY);
  expect(await readdir(join(dir, "own"))).toEqual(["assignment.bin"]);
  expect((await stat(join(dir, "own/assignment.bin"))).mode & 0o777).toBe(0o600);
});

test("what an earlier version kept is gone once the journal was read", async () => {
  await mkdir(join(dir, "earlier"));
  await writeFile(join(dir, "earlier/assignment.json"), "{}");
  await createFileJournal(join(dir, "earlier"), () => {}).read();
  expect(await readdir(join(dir, "earlier"))).toEqual([]);
});

test.each(["{ half", "null", '{"assignment":null}', ""])("a file with %s counts as none, and is told", async text => {
  await writeFile(join(dir, "assignment.bin"), text);
  let told: unknown;
  const journal = createFileJournal(dir, error => {
    told = error;
  });
  expect(await journal.read()).toEqual(EMPTY_ENTRY);
  expect(told).toBeInstanceOf(Error);
});
