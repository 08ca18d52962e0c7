import type { Clock } from "@skep/kit/clock.ts";

/** Whether somebody still reads a stream. */
export interface ReaderWatch {
  /** The reader gave a sign of life. */
  heard(): void;
}

/**
 * Aborts `stopping` once its reader is silent for `idleMs`: a reader that goes away sends nothing,
 * not even that it goes.
 */
export function watchReader(clock: Clock, idleMs: number, stopping: AbortController): ReaderWatch {
  let heardAt = clock.monotonic();
  let cancel = clock.timer(idleMs, check);
  stopping.signal.addEventListener("abort", () => cancel());
  function check(): void {
    const silentMs = clock.monotonic() - heardAt;
    if (silentMs >= idleMs) stopping.abort();
    else cancel = clock.timer(idleMs - silentMs, check);
  }
  return {
    heard: () => {
      heardAt = clock.monotonic();
    },
  };
}
