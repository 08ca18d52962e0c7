import { SkepError } from "@skep/core/error.ts";
import type { ErrorCode } from "@skep/core/error.ts";

/** Failures after which asking again can help. */
const PASSING: readonly ErrorCode[] = ["unavailable", "deadline_exceeded", "internal", "resource_exhausted"];

/** How a watch goes on after its stream broke. */
export interface WatchOptions {
  /** Ends the watch, also while it waits. */
  readonly signal?: AbortSignal;
  /** First pause before asking again, doubled each time up to `maxDelayMs`; an item resets it. */
  readonly delayMs?: number;
  readonly maxDelayMs?: number;
  /** Told of each break and of the pause that follows. */
  readonly onBreak?: (error: SkepError, delayMs: number) => void;
}

/**
 * A server stream that goes on: when it breaks or ends, it is opened again after a pause. `open`
 * gets the last item that was seen, so that it can ask for what comes after it; a stream that
 * begins with a snapshot can ignore it. The signal that `open` gets is aborted when the watch is
 * stopped or left.
 * @throws SkepError for failures that asking again cannot mend, such as `not_found` or
 * `unauthenticated`.
 */
export async function* watch<T>(
  open: (last: T | undefined, signal: AbortSignal) => AsyncIterable<T>,
  options: WatchOptions = {},
): AsyncGenerator<T> {
  const { delayMs = 250, maxDelayMs = 10_000 } = options;
  const stop = options.signal ?? new AbortController().signal;
  let last: T | undefined;
  let delay = delayMs;
  while (!stop.aborted) {
    let broken = new SkepError("unavailable", "STREAM_ENDED", "The stream ended; it is opened again.");
    // A stream that nobody reads any more must end: it would keep the process.
    const left = new AbortController();
    try {
      for await (const item of open(last, AbortSignal.any([stop, left.signal]))) {
        delay = delayMs;
        last = item;
        yield item;
      }
    } catch (error) {
      if (stop.aborted) return;
      if (!(error instanceof SkepError) || !PASSING.includes(error.code)) throw error;
      broken = error;
    } finally {
      left.abort();
    }
    if (stop.aborted) return;
    options.onBreak?.(broken, delay);
    await pause(delay, stop);
    delay = Math.min(maxDelayMs, delay * 2);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener("abort", finish, { once: true });
  });
}
