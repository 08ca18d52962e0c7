/** How often one address may ask. */
export interface RateLimits {
  /**
   * Requests with a wrong token, or without one where one is needed, before the address has to
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

/** Keys that are remembered at once: the oldest one is forgotten for a new one. */
const MOST_KEYS = 10_000;

/** Makes one. `now` is in ms and never goes back. */
export function createRate(limit: number, windowMs: number, now: () => number = () => performance.now()): Rate {
  const windows = new Map<string, { count: number; readonly until: number }>();
  const current = (key: string): { count: number; readonly until: number } | undefined => {
    const found = windows.get(key);
    if (found === undefined || found.until > now()) return found;
    windows.delete(key);
    return undefined;
  };
  return {
    count: key => {
      const found = current(key);
      if (found !== undefined) return void found.count++;
      const [oldest] = windows.keys();
      if (windows.size >= MOST_KEYS && oldest !== undefined) windows.delete(oldest);
      windows.set(key, { count: 1, until: now() + windowMs });
    },
    waitMs: key => {
      const found = current(key);
      return found === undefined || found.count < limit ? 0 : found.until - now();
    },
  };
}
