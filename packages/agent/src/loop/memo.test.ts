import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRecordingLog } from "@skep/kit/log.ts";
import { describe, expect, test } from "vitest";
import { createFileMemo, createKeptSet, createMemoryMemo, type Memo } from "./memo.ts";

describe.each([
  ["on disk", async (): Promise<Memo> => createFileMemo(join(await mkdtemp(join(tmpdir(), "memo-")), "new"), "notes")],
  ["its twin", async (): Promise<Memo> => createMemoryMemo()],
])("a memo %s", (_, make) => {
  test("is empty at first, and then holds what was written last", async () => {
    const memo = await make();
    expect(await memo.read()).toEqual([]);
    await memo.write(["one", "two"]);
    await memo.write(["two", "three 3"]);
    expect(await memo.read()).toEqual(["two", "three 3"]);
  });

  test("holds the newest state of a set, however quickly it changes", async () => {
    const memo = await make();
    const set = createKeptSet(memo, ["old"], createRecordingLog());
    for (const text of ["a", "b", "a"]) set.add(text);
    set.keepOnly(text => text !== "old");
    await expect.poll(() => memo.read()).toEqual(["a", "b"]);
    expect([set.has("a"), set.has("old")]).toEqual([true, false]);
  });
});

test("a memo that cannot be written is said, and the set stands all the same", async () => {
  const log = createRecordingLog();
  const memo: Memo = { read: async () => [], write: () => Promise.reject(new Error("the disk is full")) };
  const set = createKeptSet(memo, [], log);
  set.add("a");
  await expect.poll(() => log.lines.map(line => line.event)).toEqual(["memo.unwritable"]);
  expect(set.has("a")).toBe(true);
});
