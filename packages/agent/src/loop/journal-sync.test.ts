import type * as files from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test, vi } from "vitest";
import { createFileJournal, EMPTY_ENTRY } from "./journal.ts";

/** What reached the disk, in order: no test can cut the power, so the calls have to show it. */
const { done } = vi.hoisted(() => ({ done: [] as string[] }));

vi.mock("node:fs/promises", async importOriginal => {
  const real = await importOriginal<typeof files>();
  const open: typeof files.open = async (path, ...rest) => {
    const handle = await real.open(path, ...rest);
    const sync = handle.sync.bind(handle);
    return Object.assign(handle, { sync: () => (done.push(`sync ${basename(String(path))}`), sync()) });
  };
  const rename: typeof files.rename = (from, to) => (done.push("rename"), real.rename(from, to));
  return { ...real, open, rename };
});

test("the entry is on disk before it gets its name, and its name before the write has ended", async () => {
  const dir = await mkdtemp(join(tmpdir(), "skep-journal-"));
  await createFileJournal(join(dir, "state"), () => {}).write(EMPTY_ENTRY);
  expect(done).toEqual(["sync assignment.bin.new", "rename", "sync state"]);
  await rm(dir, { recursive: true });
});
