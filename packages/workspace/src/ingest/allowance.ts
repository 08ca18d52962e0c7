/** How many messages of a workspace may be stored by now. */
export interface Allowance {
  /** How long until so many are allowed, or as many as are ever allowed at once, ms; 0 for none. */
  waitMs(wanted: number, now: number): number;
  /** Takes so many, or as many as are allowed. Answers how many. */
  take(wanted: number, now: number): number;
}

/** What was not used may be used later, for so long. */
const SAVED_MS = 1_000;
/** Where one has used all of it, batches of so long are better than many of one message. */
const AT_ONCE_MS = 50;

/** Allows so many a second; without a number all that is wanted. */
export function createAllowance(perSecond: number | undefined, now: number): Allowance {
  if (perSecond === undefined) return { waitMs: () => 0, take: wanted => wanted };
  const perMs = perSecond / 1_000;
  const most = Math.max(1, perMs * SAVED_MS);
  const atOnce = Math.max(1, perMs * AT_ONCE_MS);
  let saved = most;
  let countedAt = now;

  function count(at: number): void {
    saved = Math.min(most, saved + (at - countedAt) * perMs);
    countedAt = at;
  }

  return {
    waitMs: (wanted, at) => {
      count(at);
      return Math.max(0, Math.ceil((Math.min(wanted, atOnce) - saved) / perMs));
    },
    take: (wanted, at) => {
      count(at);
      const taken = Math.min(wanted, Math.floor(saved));
      saved -= taken;
      return taken;
    },
  };
}
