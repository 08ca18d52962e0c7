import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Assignment } from "@skep/core/model/assignment.ts";

/** What an agent must know after its own restart though nobody answers it. */
export interface JournalEntry {
  readonly assignment: Assignment | undefined;
  /** Highest epoch ever accepted per instance: an older copy is never run again. */
  readonly epochs: Readonly<Record<string, number>>;
  /** The life of the node in which this was written; `""` before the first. */
  readonly bootId: string;
}

/** Where the entry is kept, as a port. */
export interface Journal {
  /** What was written last; empty where nothing was, or where it cannot be read. */
  read(): Promise<JournalEntry>;
  /** Keeps the entry so that it survives a crash at any moment: the old one or the new one, never half of one. */
  write(entry: JournalEntry): Promise<void>;
}

/** What a new node knows. */
export const EMPTY_ENTRY: JournalEntry = { assignment: undefined, epochs: {}, bootId: "" };

/** Whether it has the shape of what `write` keeps; the assignment within is taken as it was written. */
function isEntry(read: unknown): read is JournalEntry {
  if (typeof read !== "object" || read === null) return false;
  const { epochs, bootId } = read as Partial<Record<string, unknown>>;
  return typeof epochs === "object" && epochs !== null && typeof bootId === "string";
}

/** Keeps the entry as a file in `dir`; `onSpoilt` is told where the file is there but cannot be read. */
export function createFileJournal(dir: string, onSpoilt: (error: unknown) => void): Journal {
  const path = join(dir, "assignment.json");
  return {
    read: async () => {
      try {
        const read: unknown = JSON.parse(await readFile(path, "utf8"));
        if (!isEntry(read))
          throw new TypeError(`${path} is JSON, but no journal of an agent: it is left out of account.`);
        return read;
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
        await file.writeFile(JSON.stringify(entry));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(fresh, path);
    },
  };
}

/** The twin: it keeps the entry as long as the object lives, which outlasts an agent that restarts. */
export function createMemoryJournal(first: JournalEntry = EMPTY_ENTRY): Journal {
  let kept = first;
  return {
    read: async () => kept,
    write: async entry => {
      kept = entry;
    },
  };
}
