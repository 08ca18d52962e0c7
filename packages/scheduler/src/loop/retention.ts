import type { Leadership } from "./leader.ts";
import type { LoopPorts, Running } from "./ports.ts";
import { DEFAULT_RETENTION } from "./retention-settings.ts";

const BATCH = 5_000;
const PERIOD_MS = 300_000;

/**
 * The leader's housekeeping: a batch each 5 minutes, or one after the other while there is more.
 */
export function createRetention(ports: LoopPorts, leadership: Leadership): Running {
  const { store, clock, loops, retention = DEFAULT_RETENTION } = ports;
  const loop = loops.begin(
    "retention",
    async () => {
      const now = clock.now();
      const horizon = {
        keysAt: now - retention.keysMs,
        decisionsAt: now - retention.decisionsMs,
        auditAt: now - retention.auditMs,
        domainsAt: now - retention.domainsMs,
        keepReleases: retention.releases,
      };
      if ((await store.pruneHistory(horizon, BATCH, leadership)) >= BATCH) loop.hint();
    },
    { minGapMs: 1_000, periodMs: PERIOD_MS },
  );
  return loop;
}
