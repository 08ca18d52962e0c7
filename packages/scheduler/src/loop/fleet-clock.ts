import type { Clock } from "@skep/kit/clock.ts";

/** Time as all schedulers agree on it. */
export interface FleetClock extends Clock {
  /** The database just said that it is `at`, in ms since the epoch. */
  heard(at: number): void;
}

/**
 * What one scheduler writes, the next one reads: when a location was retired, when a placement
 * failed. So the times of the records are the database's, carried on by our monotonic clock from
 * one answer to the next; a wall clock that is wrong or jumps moves nothing. Until the database has
 * answered for the first time there is only our own.
 */
export function createFleetClock(clock: Clock): FleetClock {
  let heard: { readonly at: number; readonly when: number } | undefined;
  return {
    ...clock,
    now: () => (heard === undefined ? clock.now() : Math.round(heard.at + clock.monotonic() - heard.when)),
    heard: at => {
      heard = { at, when: clock.monotonic() };
    },
  };
}
