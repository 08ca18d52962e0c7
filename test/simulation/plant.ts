import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Bug, Edit } from "./bugs/bug.ts";

const root = dirname(dirname(import.meta.dirname));

/**
 * Changes the sources of everything that this process loads from now on; the files stay as they
 * are. Nothing that the bug is in may have been loaded before, so this comes first in a process and
 * the simulation is imported after it.
 */
export function plant(bug: Bug): void {
  const byUrl = new Map<string, Edit[]>();
  for (const edit of bug.edits) {
    const url = pathToFileURL(join(root, edit.file)).href;
    byUrl.set(url, [...(byUrl.get(url) ?? []), edit]);
  }
  for (const edit of bug.edits) textOf(edit);
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const edits = byUrl.get(url);
      if (edits === undefined) return loaded;
      const source = edits.reduce((text, edit) => edited(text, edit), readFileSync(new URL(url), "utf8"));
      return { ...loaded, source };
    },
  });
}

/**
 * The file's text as the edit makes it; throws when what is to be replaced is not there, or is
 * there twice.
 */
export function textOf(edit: Edit): string {
  return edited(readFileSync(join(root, edit.file), "utf8"), edit);
}

function edited(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  if (parts.length !== 2) {
    const count = parts.length - 1;
    throw new Error(`${file} has ${count === 0 ? "no longer" : `${count} times`} what a planted bug replaces: ${find}`);
  }
  return parts.join(replace);
}
