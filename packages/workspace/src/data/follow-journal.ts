import type { Clock } from "@skep/kit/clock.ts";
import { notHere } from "./call.ts";
import type { Journal, JournalLine } from "./journal.ts";
import type { ServedWorkspace } from "./served.ts";

/** Some lines, and what is missing before them. */
export interface FollowedLines {
  readonly lines: readonly JournalLine[];
  readonly notice: string;
}

const MOST_WAITING = 1_000;
const ALIVE_MS = 5_000;

/** The latest lines of a workspace, and those that follow where that is wanted. */
export async function* followJournal(
  served: ServedWorkspace,
  journal: Journal,
  { follow, tail }: { readonly follow: boolean; readonly tail: number },
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<FollowedLines> {
  let waiting: JournalLine[] = [];
  let lost = 0;
  let wake: () => void = () => undefined;
  const leave = journal.listen(served.id, line => {
    if (waiting.length < MOST_WAITING) waiting.push(line);
    else lost += 1;
    wake();
  });
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    yield { lines: tail === 0 ? [] : journal.linesOf(served.id).slice(-tail), notice: "" };
    while (follow && !signal.aborted) {
      if (!served.mayRead()) throw notHere(served.id);
      if (waiting.length + lost === 0) {
        const over = new AbortController();
        wake = () => over.abort();
        await clock.sleep(ALIVE_MS, over.signal);
      }
      const [lines, left] = [waiting, lost];
      [waiting, lost] = [[], 0];
      yield { lines, notice: left === 0 ? "" : `${left} lines were left out because this reader is slow` };
    }
  } finally {
    leave();
    signal.removeEventListener("abort", onAbort);
  }
}
