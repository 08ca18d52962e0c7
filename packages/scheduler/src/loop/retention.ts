import type { Leadership } from "./leader.ts";
import type { LoopPorts, Running } from "./ports.ts";

const HOUR_MS = 3_600_000;
const KEEP_KEYS_MS = 24 * HOUR_MS;
/** They are for people: nothing is decided by them. */
const KEEP_DECISIONS_MS = 14 * 24 * HOUR_MS;
const BATCH = 5_000;
const PERIOD_MS = 300_000;

/** The leader's housekeeping: a batch each 5 minutes, or one after the other while there is more. */
export function createRetention(ports: LoopPorts, leadership: Leadership): Running {
  const { store, clock, loops } = ports;
  const loop = loops.begin(
    "retention",
    async () => {
      const now = clock.now();
      const deleted = await store.pruneHistory(
        { keysAt: now - KEEP_KEYS_MS, decisionsAt: now - KEEP_DECISIONS_MS },
        BATCH,
        leadership,
      );
      if (deleted >= BATCH) loop.hint();
    },
    { minGapMs: 1_000, periodMs: PERIOD_MS },
  );
  return loop;
}
