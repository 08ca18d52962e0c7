import { SkepError } from "@skep/core/error.ts";
import type { Io } from "../io.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Repeats a call while the platform is away, up to a time; for calls that may be repeated without
 * harm.
 */
export async function patiently<T>(io: Io, forMs: number, call: () => Promise<T>): Promise<T> {
  const until = io.now() + forMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      return await call();
    } catch (error) {
      const away = error instanceof SkepError && error.code === "unavailable";
      if (!away || io.signal.aborted || io.now() + pauseMs > until) throw error;
    }
    await io.sleep(pauseMs);
  }
}

/** Whether a call failed because what it names is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof SkepError && error.code === "not_found";
}
