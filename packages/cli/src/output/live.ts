import { clip } from "./table.ts";
import type { Io } from "../io.ts";

/** Lines that show how something goes on. */
export interface Live {
  /** One line per key, in the order the keys first came. */
  show(lines: ReadonlyMap<string, string>): void;
  /** Leaves the last lines standing. */
  end(): void;
}

/**
 * On a terminal the lines are rewritten in place; elsewhere a line is written whenever it has
 * changed.
 */
export function createLive(io: Io): Live {
  return io.isTty ? rewriting(io) : appending(io);
}

function rewriting(io: Io): Live {
  let shown: readonly string[] = [];
  return {
    show: lines => {
      const next = [...lines.values()].map(line => clip(line, io.width - 1));
      if (next.length === shown.length && next.every((line, index) => line === shown[index])) return;
      const up = shown.length === 0 ? "" : `\u001B[${shown.length}A`;
      io.out(new TextEncoder().encode(`${up}\r\u001B[J`));
      io.out(next.map(line => `${line}\n`).join(""));
      shown = next;
    },
    end: () => (shown = []),
  };
}

function appending(io: Io): Live {
  const shown = new Map<string, string>();
  return {
    show: lines => {
      for (const [key, line] of lines) {
        if (shown.get(key) !== line) io.out(`${line}\n`);
        shown.set(key, line);
      }
    },
    end: () => shown.clear(),
  };
}
