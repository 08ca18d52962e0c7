import { watch } from "@skep/sdk/watch.ts";
import type { Io } from "../io.ts";

/** Handles every message of a stream; Ctrl-C ends it without an error. */
export async function untilInterrupted<T>(
  io: Io,
  stream: AsyncIterable<T>,
  handle: (message: T) => void,
): Promise<void> {
  try {
    for await (const message of stream) handle(message);
  } catch (error) {
    if (!io.signal.aborted) throw error;
  }
}

/** An attempt that lasted this long has reached the platform, though nothing came. */
const REACHED_MS = 1_000;
const LONGEST_PAUSE_MS = 2_000;
/** An outage is told once, and then now and then. */
const TELL_AGAIN_MS = 30_000;

/**
 * Handles every message of a stream until the platform says that there is no more, or Ctrl-C. A
 * stream that breaks, because its scheduler died or stopped, is opened again; a line on the error
 * output says so. `open` learns whether it is opened again, so that it asks for the rest only.
 * @throws SkepError where the platform cannot be reached to begin with, or asking again cannot
 * help.
 */
export async function follow<T>(
  io: Io,
  open: (again: boolean, signal: AbortSignal) => AsyncIterable<T>,
  handle: (message: T) => void,
): Promise<void> {
  const done = new AbortController();
  let attempts = 0;
  let reached = false;
  let failure: unknown;
  async function* attempt(_: unknown, signal: AbortSignal): AsyncGenerator<T> {
    const beganAt = io.now();
    try {
      for await (const message of open(attempts++ > 0, signal)) {
        reached = true;
        yield message;
      }
    } catch (error) {
      reached ||= io.now() - beganAt >= REACHED_MS;
      if (reached) throw error;
      failure = error;
    }
    done.abort();
  }
  let toldAt = -Infinity;
  const onBreak = (error: Error): void => {
    if (io.now() - toldAt < TELL_AGAIN_MS) return;
    toldAt = io.now();
    io.err(`skep: the stream broke off (${error.message}) and goes on as soon as the platform answers.\n`);
  };
  const signal = AbortSignal.any([io.signal, done.signal]);
  for await (const message of watch(attempt, { signal, maxDelayMs: LONGEST_PAUSE_MS, onBreak })) handle(message);
  if (failure !== undefined && !io.signal.aborted) throw failure;
}
