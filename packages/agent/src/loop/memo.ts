import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "@skep/kit/log.ts";

/** Texts that outlive the agent's process, as a port. Losing them costs time and nothing else. */
export interface Memo {
  /** What was written last; empty where nothing was, or where it cannot be read. */
  read(): Promise<readonly string[]>;
  write(texts: readonly string[]): Promise<void>;
}

/** Keeps the texts as a file in `dir`, one a line. */
export function createFileMemo(dir: string, name: string): Memo {
  const path = join(dir, name);
  return {
    read: async () => {
      const text = await readFile(path, "utf8").catch(() => "");
      return text.split("\n").filter(line => line !== "");
    },
    write: async texts => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.new`, texts.map(text => `${text}\n`).join(""), { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
  };
}

/** The twin: it keeps the texts as long as the object lives. */
export function createMemoryMemo(): Memo {
  let kept: readonly string[] = [];
  return {
    read: async () => kept,
    write: async texts => {
      kept = texts;
    },
  };
}

/** A set of texts that is written to a memo whenever it changes. */
export interface KeptSet {
  has(text: string): boolean;
  /** All of them, the oldest first. */
  all(): readonly string[];
  add(text: string): void;
  /** Takes out what does not fit. */
  keepOnly(fits: (text: string) => boolean): void;
}

/**
 * Makes it with what the memo held; the writes follow each other, and only the newest state is
 * written.
 */
export function createKeptSet(memo: Memo, first: readonly string[], log: Log): KeptSet {
  const texts = new Set(first);
  let isChanged = false;
  let isWriting = false;

  async function write(): Promise<void> {
    if (isWriting) return;
    isWriting = true;
    while (isChanged) {
      isChanged = false;
      await memo.write([...texts]).catch((error: unknown) => {
        log.warn("memo.unwritable", "A note could not be kept on disk; a restart of the agent forgets it.", { error });
      });
    }
    isWriting = false;
  }

  function changed(): void {
    isChanged = true;
    void write();
  }

  return {
    has: text => texts.has(text),
    all: () => [...texts],
    add: text => {
      if (texts.has(text)) return;
      texts.add(text);
      changed();
    },
    keepOnly: fits => {
      const gone = [...texts].filter(text => !fits(text));
      for (const text of gone) texts.delete(text);
      if (gone.length > 0) changed();
    },
  };
}
