import type { Clock } from "@skep/kit/clock.ts";

/**
 * A leader goes by an answer of the database for so long: its lease (3 s), and then its commit may
 * be under way.
 */
const BELIEVED_MS = 10_000;

/** The database's clock, which the adversary sets forwards and back. */
export interface DatabaseClock extends Clock {
  step(byMs: number): void;
  /**
   * The latest time that a leader may rightly believe it to be: one that has not heard of a step
   * back yet carries on from an answer before it.
   */
  believed(): number;
}

/** Makes one that does not differ from `clock` yet. */
export function createDatabaseClock(clock: Clock): DatabaseClock {
  let skews: readonly { readonly ms: number; readonly until: number }[] = [];
  let skewMs = 0;
  return {
    ...clock,
    now: () => clock.now() + skewMs,
    step: byMs => {
      const now = clock.now();
      skews = [...skews.filter(one => one.until > now), { ms: skewMs, until: now + BELIEVED_MS }];
      skewMs += byMs;
    },
    believed: () => {
      const now = clock.now();
      return now + Math.max(skewMs, ...skews.flatMap(one => (one.until > now ? one.ms : [])));
    },
  };
}
