import type { LogLine, LogRequest } from "./engine.ts";

/** The output of one container of the twin. */
export interface MemoryLog {
  write(line: LogLine): void;
  /** The program ended, and so do the reads that follow it. */
  end(): void;
  read(request: LogRequest, signal: AbortSignal): AsyncIterable<LogLine>;
}

/** Makes an empty output. */
export function createMemoryLog(): MemoryLog {
  const lines: LogLine[] = [];
  let waiting: (() => void)[] = [];
  let ends = 0;

  function wakeAll(): void {
    const woken = waiting;
    waiting = [];
    for (const resume of woken) resume();
  }

  async function* read(request: LogRequest, signal: AbortSignal): AsyncGenerator<LogLine> {
    const endsBefore = ends;
    const since = request.sinceAt ?? -Infinity;
    const first = request.tail === undefined ? 0 : Math.max(0, lines.length - request.tail);
    for (let at = first; !signal.aborted; at++) {
      while (at >= lines.length && request.follow && ends === endsBefore && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.push(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
        await promise;
      }
      const line = lines[at];
      if (line === undefined) return;
      if (line.at >= since) yield line;
    }
  }

  return {
    write: line => {
      lines.push(line);
      wakeAll();
    },
    end: () => {
      ends++;
      wakeAll();
    },
    read,
  };
}
