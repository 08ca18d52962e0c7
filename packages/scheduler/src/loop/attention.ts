import type { Clock } from "@skep/kit/clock.ts";

/**
 * How long this process was awake, in ms: time that it slept through (paused, swapped out, starved)
 * is left out.
 */
export interface Attention {
  ms(): number;
  close(): void;
}

const STEP_MS = 200;

/**
 * Silence may only be called silence while somebody listens. A timer marks each step; what passes
 * between two marks counts for one step at most, so that a process that was stopped for a minute
 * has observed 0.2 s of it.
 */
export function createAttention(clock: Clock): Attention {
  let markedAt = clock.monotonic();
  let awakeMs = 0;
  let cancel = clock.timer(STEP_MS, mark);

  function catchUp(): void {
    const now = clock.monotonic();
    awakeMs += Math.min(STEP_MS, now - markedAt);
    markedAt = now;
  }
  function mark(): void {
    catchUp();
    cancel = clock.timer(STEP_MS, mark);
  }
  return {
    ms: () => {
      catchUp();
      return awakeMs;
    },
    close: () => cancel(),
  };
}
