import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeJournal, encodeJournal, type KeptState } from "@skep/api/codec/held.ts";

/**
 * What an agent must know after its own restart though nobody answers it; `bootId` is `""` before
 * the first.
 */
export type JournalEntry = KeptState;

/** Where the entry is kept, as a port. */
export interface Journal {
  /** What was written last; empty where nothing was, or where it cannot be read. */
  read(): Promise<JournalEntry>;
  /**
   * Keeps the entry so that it survives a crash at any moment: the old one or the new one, never
   * half of one.
   */
  write(entry: JournalEntry): Promise<void>;
}

/** The journal of a new node. */
export const EMPTY_ENTRY: JournalEntry = { assignment: undefined, epochs: {}, bootId: "" };

/**
 * Keeps the entry as a file in `dir`; `onSpoilt` is told where the file is there but cannot be
 * read.
 */
export function createFileJournal(dir: string, onSpoilt: (error: unknown) => void): Journal {
  const path = join(dir, "assignment.bin");
  return {
    read: async () => {
      // What an earlier version kept here is read by nobody, and has tenants' secrets in it.
      await rm(join(dir, "assignment.json"), { force: true }).catch(onSpoilt);
      try {
        return decodeJournal(await readFile(path));
      } catch (error) {
        if ((error as { code?: unknown }).code !== "ENOENT") onSpoilt(error);
        return EMPTY_ENTRY;
      }
    },
    write: async entry => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const fresh = `${path}.new`;
      // Environment values of tenants are in here: nobody else on the node may read it.
      const file = await open(fresh, "w", 0o600);
      try {
        await file.writeFile(encodeJournal(entry));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(fresh, path);
      // The rename itself is in the directory: without this a power failure may bring the old
      // fences back.
      const folder = await open(dir, "r");
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    },
  };
}

/**
 * The twin: it keeps the entry as long as the object lives, which outlasts an agent that restarts.
 */
export function createMemoryJournal(first: JournalEntry = EMPTY_ENTRY): Journal {
  let kept = first;
  return {
    read: async () => kept,
    write: async entry => {
      kept = entry;
    },
  };
}
