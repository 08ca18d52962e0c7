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
