/** How much one asker may ask, and all together. */
export interface AskBounds {
  /**
   * Whether one more question of the asker is answered. A program that asks without end gets no
   * answer to most of them, and nobody else waits for it.
   */
  allows(asker: string, nowMs: number): boolean;
  /** Whether one more of its questions may be passed on; `done` gives the place back. */
  begin(asker: string): { done(): void } | undefined;
}

/** Questions per second, and how many at once after a pause. */
const RATE = 500;
const BURST = 1_000;
/** Questions that wait for an answer from outside. */
const MOST_WAITING = 64;
const MOST_WAITING_OF_ALL = 1_024;
/** More askers than a node has instances: the oldest are forgotten. */
const MOST_ASKERS = 4_096;

/** Makes the bounds, with nothing asked. */
export function createAskBounds(): AskBounds {
  const buckets = new Map<string, { left: number; atMs: number }>();
  const waiting = new Map<string, number>();
  let all = 0;
  return {
    allows: (asker, nowMs) => {
      const known = buckets.get(asker) ?? { left: BURST, atMs: nowMs };
      buckets.delete(asker);
      const left = Math.min(BURST, known.left + (Math.max(0, nowMs - known.atMs) * RATE) / 1_000);
      buckets.set(asker, { left: left < 1 ? left : left - 1, atMs: nowMs });
      if (buckets.size > MOST_ASKERS) buckets.delete(buckets.keys().next().value!);
      return left >= 1;
    },
    begin: asker => {
      const mine = waiting.get(asker) ?? 0;
      if (mine >= MOST_WAITING || all >= MOST_WAITING_OF_ALL) return undefined;
      waiting.set(asker, mine + 1);
      all += 1;
      let isDone = false;
      return {
        done: () => {
          if (isDone) return;
          isDone = true;
          all -= 1;
          const left = (waiting.get(asker) ?? 1) - 1;
          if (left === 0) waiting.delete(asker);
          else waiting.set(asker, left);
        },
      };
    },
  };
}
