import type { Clock } from "@skep/kit/clock.ts";
import type { Random } from "@skep/kit/random.ts";
import { retryDelay, type Backoff } from "@skep/kit/retry.ts";
import { owned } from "../ownership.ts";

/** What is tried for as long as it takes, and only while the workspace is this process's. */
export interface Insistence {
  /** Waits while the workspace is not this process's. Answers whether it is; `false` at the end. */
  owns(): Promise<boolean>;
  /** Tries until it works. Answers whether it was done before the end. */
  insist(work: () => Promise<void>): Promise<boolean>;
}

const BACKOFF: Backoff = { baseMs: 100, maxMs: 5_000 };

/** Makes it until `ending`; `failed` hears of each failure and `worked` of each end of them. */
export function createInsistence(
  ports: { readonly clock: Clock; readonly random: Random; readonly mayRead: () => boolean },
  calls: { failed(error: unknown, attempt: number): void; worked(): void },
  ending: AbortSignal,
): Insistence {
  const { clock, random, mayRead } = ports;
  const owns = (): Promise<boolean> => owned(mayRead, clock, ending);
  return {
    owns,
    insist: async work => {
      for (let attempt = 1; await owns(); attempt += 1) {
        try {
          await work();
          calls.worked();
          return true;
        } catch (error) {
          calls.failed(error, attempt);
          await clock.sleep(retryDelay(attempt, random, BACKOFF), ending);
        }
      }
      return false;
    },
  };
}
