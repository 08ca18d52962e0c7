import type { Clock } from "./clock.ts";

/**
 * A loop that runs when hinted, when due, and every period: never twice at once, and with at most
 * one run waiting.
 */
export interface Wake {
  /** Something may have changed: run soon. Any number of hints before that run begins are one. */
  hint(): void;
  /**
   * Run at this time (ms since the epoch) though nothing happens. The earliest wins; a run forgets
   * it.
   */
  at(time: number): void;
  /** Ends the loop and resolves when a run that is under way has ended. */
  close(): Promise<void>;
}

/** When a wake runs, in milliseconds. */
export interface WakeTimes {
  /** Least time between the starts of two runs; a burst of hints costs one run per gap. */
  readonly minGapMs: number;
  /** Most time between the end of a run and the start of the next; absent waits for a hint. */
  readonly periodMs?: number;
}

/**
 * Makes such a loop around `run`; the first run comes at the first hint, at `at`, or after one
 * period. A run that throws is handed to `onError`, which answers after how many ms it is tried
 * again.
 */
export function createWake(
  run: () => Promise<void>,
  times: WakeTimes,
  clock: Clock,
  onError: (error: unknown) => number,
): Wake {
  let running: Promise<void> | undefined;
  let closed = false;
  let hinted = false;
  let wakeAt = Infinity;
  let startedAt = -Infinity;
  let cancel: (() => void) | undefined;

  /**
   * Sets the one timer for whatever is due first; time is measured on the clock that cannot jump.
   */
  function arm(): void {
    cancel?.();
    cancel = undefined;
    if (closed || running !== undefined) return;
    const gapMs = Math.max(0, startedAt + times.minGapMs - clock.monotonic());
    const wantedMs = hinted ? 0 : Math.min(wakeAt - clock.now(), times.periodMs ?? Infinity);
    if (wantedMs === Infinity) return;
    const delayMs = Math.max(gapMs, wantedMs);
    // A real timer takes a millisecond at least, and a hint after a quiet time need not wait.
    if (hinted && delayMs <= 0) queueMicrotask(start);
    else cancel = clock.timer(delayMs, start);
  }

  function start(): void {
    if (closed || running !== undefined) return;
    hinted = false;
    wakeAt = Infinity;
    startedAt = clock.monotonic();
    running = run()
      .catch((error: unknown) => {
        wakeAt = Math.min(wakeAt, clock.now() + onError(error));
      })
      .then(() => {
        running = undefined;
        arm();
      });
  }

  arm();
  return {
    hint: () => {
      if (hinted) return;
      hinted = true;
      arm();
    },
    at: time => {
      if (time >= wakeAt) return;
      wakeAt = time;
      arm();
    },
    close: async () => {
      closed = true;
      cancel?.();
      await running;
    },
  };
}
