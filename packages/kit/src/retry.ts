import type { Clock } from "./clock.ts";
import { systemRandom, type Random } from "./random.ts";

/** How long to wait between attempts, in milliseconds. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** How a failing call is repeated. */
export interface RetryPolicy extends Partial<Backoff> {
  /** Most attempts in all; absent repeats until it works or the signal says stop. */
  readonly attempts?: number;
  /** Whether another attempt may help; absent means always. */
  readonly isTransient?: (error: unknown) => boolean;
  /** Called before each wait, for a line in the log. */
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
  readonly random?: Random;
}

const DEFAULT_BACKOFF: Backoff = { baseMs: 100, maxMs: 10_000 };

/**
 * The wait after the failed attempt number `attempt` (from 1): it doubles from `baseMs` to `maxMs`,
 * and half of it is left to chance, so that callers which failed together do not return together.
 */
export function retryDelay(attempt: number, random: Random, backoff: Backoff = DEFAULT_BACKOFF): number {
  const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
  return Math.round(full / 2 + (random() * full) / 2);
}

/**
 * Calls `call` until it succeeds. Throws its last error when attempts are used up, when the error
 * is not transient, or when `signal` is aborted while it waits.
 */
export async function retry<T>(
  call: (attempt: number) => Promise<T>,
  policy: RetryPolicy,
  clock: Clock,
  signal?: AbortSignal,
): Promise<T> {
  const backoff = { ...DEFAULT_BACKOFF, ...policy };
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(attempt);
    } catch (error) {
      const last = attempt >= (policy.attempts ?? Infinity) || policy.isTransient?.(error) === false;
      if (last || signal?.aborted) throw error;
      const delayMs = retryDelay(attempt, policy.random ?? systemRandom, backoff);
      policy.onRetry?.(error, attempt, delayMs);
      await clock.sleep(delayMs, signal);
      if (signal?.aborted) throw error;
    }
  }
}
