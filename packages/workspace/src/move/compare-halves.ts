import type { CompareOrder, Comparison, Side } from "@skep/core/workspace/migration-state.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { compareDatabases } from "../database/compare.ts";
import type { KeyPages, KeyWindow } from "../database/keys.ts";

/** What is compared, and by which half. */
export interface Halves {
  readonly side: Side;
  readonly here: KeyPages;
  readonly there: KeyPages;
  readonly clock: Clock;
  /** Days that messages are kept; `undefined` for ever. */
  readonly retentionDays: number | undefined;
}

/** How often what the target seems to lack is looked for again: it may be under way. */
const AGAIN = 2;
const DAY_MS = 86_400_000;
/** What is about to be removed counts at neither half. */
const REMOVED_MS = 2 * 3_600_000;

/**
 * Compares both halves once what is stored by the order has settled. `undefined` where it was to
 * end before.
 */
export async function compareHalves(
  halves: Halves,
  { from, afterMs, settleMs }: CompareOrder,
  ending: AbortSignal,
): Promise<Comparison | undefined> {
  const { side, here, there, clock, retentionDays } = halves;
  await clock.sleep(afterMs, ending);
  for (let left = AGAIN; !ending.aborted; left -= 1) {
    const until = clock.now() - settleMs;
    const kept = retentionDays === undefined ? {} : { keptSince: until - retentionDays * DAY_MS + REMOVED_MS };
    const window: KeyWindow = { from, until, ...kept };
    const [source, target] = side === "source" ? [here, there] : [there, here];
    const found = await compareDatabases(source, target, window);
    if (left === 0 || found.missing.target.count === 0) return found;
    await clock.sleep(settleMs, ending);
  }
  return undefined;
}
