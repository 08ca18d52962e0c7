/** How often one address may ask. */
export interface RateLimits {
  /**
   * Requests with a wrong token, or without one where one is needed, before the address is told to
   * wait.
   */
  readonly failedAuthsPerMinute: number;
  /** Requests of any kind. */
  readonly requestsPerSecond: number;
}

/** Counts per key within a window of time; a key above its limit waits until the window is over. */
export interface Rate {
  /** Counts one. */
  count(key: string): void;
  /** How long a key has to wait, in ms; 0 where it need not. */
  waitMs(key: string): number;
}

/** Keys that have a window of their own at once. */
const MOST_KEYS = 10_000;

interface Window {
  count: number;
  readonly until: number;
}

/**
 * Makes one. `now` is in ms and never goes back. A sender with many addresses takes nobody's window
 * away: where every place is taken, all further keys share one window until a place is free.
 */
export function createRate(limit: number, windowMs: number, now: () => number = () => performance.now()): Rate {
  const windows = new Map<string, Window>();
  let shared: Window | undefined;

  function current(key: string): Window | undefined {
    // All windows are equally long, so those that end first stand first.
    for (const [one, { until }] of windows) {
      if (until > now()) break;
      windows.delete(one);
    }
    if (shared !== undefined && shared.until <= now()) shared = undefined;
    return windows.get(key) ?? (windows.size < MOST_KEYS ? undefined : shared);
  }

  return {
    count: key => {
      const found = current(key);
      if (found !== undefined) return void found.count++;
      const fresh = { count: 1, until: now() + windowMs };
      if (windows.size < MOST_KEYS) windows.set(key, fresh);
      else shared = fresh;
    },
    waitMs: key => {
      const found = current(key);
      return found === undefined || found.count < limit ? 0 : found.until - now();
    },
  };
}
