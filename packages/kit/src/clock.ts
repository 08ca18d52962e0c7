/**
 * Time as a port. Loops take a Clock, so that a simulation can run them on virtual time; nothing
 * else in a loop may ask for the time or set a timer.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Milliseconds that never go back; for measuring silence and durations, comparable only with
   * itself.
   */
  monotonic(): number;
  /** Calls `run` once after `delayMs`; returns the function that cancels it. */
  timer(delayMs: number, run: () => void): () => void;
  /**
   * Resolves after `delayMs`, or at once when `signal` is aborted (it never rejects: ask the signal
   * why it woke).
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** Builds `sleep` out of `timer`, for every implementation of Clock alike. */
export function sleepBy(timer: Clock["timer"], delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise(resolve => {
    const cancel = timer(delayMs, finish);
    signal?.addEventListener("abort", finish, { once: true });
    function finish(): void {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    }
  });
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer: (delayMs, run) => {
    const handle = setTimeout(run, Math.min(Math.max(0, delayMs), 2_147_483_647));
    return () => clearTimeout(handle);
  },
  sleep: (delayMs, signal) => sleepBy(systemClock.timer, delayMs, signal),
};
