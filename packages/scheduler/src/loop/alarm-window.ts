import type { Clock } from "@skep/kit/clock.ts";

/** Which alarms are said, so that neither a flood nor one that goes on for days drowns the rest. */
export interface AlarmWindow {
  /** Whether this one is to be said; it is counted as left out where not. */
  isNew(word: string): boolean;
  /** It could not be said after all: the next one is new again. */
  forget(word: string): void;
  /** Says no count any more. */
  close(): void;
}

const WINDOW_MS = 10 * 60_000;
const MOST = 100;

/**
 * Makes one: each word is said once in ten minutes, and so many different ones. At the end of the
 * window `sayRest` is told how many were left out; then everything is new again.
 */
export function createAlarmWindow(
  clock: Pick<Clock, "monotonic" | "timer">,
  sayRest: (leftOut: number) => void,
): AlarmWindow {
  const said = new Set<string>();
  let leftOut = 0;
  let cancel: (() => void) | undefined;

  function end(): void {
    cancel = undefined;
    said.clear();
    const rest = leftOut;
    leftOut = 0;
    if (rest > 0) sayRest(rest);
  }

  return {
    isNew: word => {
      cancel ??= clock.timer(WINDOW_MS, end);
      if (!said.has(word) && said.size < MOST) {
        said.add(word);
        return true;
      }
      leftOut += 1;
      return false;
    },
    forget: word => void said.delete(word),
    close: () => cancel?.(),
  };
}
