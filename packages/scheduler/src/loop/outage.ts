import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { retryDelay, type Backoff } from "@skep/kit/retry.ts";
import type { Random } from "@skep/kit/random.ts";

/** Follows one loop through failures: one line when they begin, one when they end, and how long to wait in between. */
export interface Outage {
  /** The loop failed; answers how long to wait, in ms. */
  failed(error: unknown): number;
  succeeded(): void;
}

const BACKOFF: Backoff = { baseMs: 50, maxMs: 1_000 };

/** Makes one; `loop` names it in the log. */
export function createOutage(
  loop: string,
  ports: { readonly clock: Clock; readonly log: Log; readonly random: Random },
): Outage {
  const { clock, log, random } = ports;
  let failures = 0;
  let beganAt = 0;
  return {
    failed: error => {
      if (failures === 0) {
        beganAt = clock.monotonic();
        log.warn("loop.failed", `The ${loop} loop failed and tries again until it works.`, { loop, error });
      }
      failures += 1;
      return retryDelay(failures, random, BACKOFF);
    },
    succeeded: () => {
      if (failures === 0) return;
      const awayMs = Math.round(clock.monotonic() - beganAt);
      log.info("loop.recovered", `The ${loop} loop works again.`, { loop, failures, awayMs });
      failures = 0;
    },
  };
}
