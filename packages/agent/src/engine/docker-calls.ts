import { isAlreadySo, toEngineError } from "./docker-errors.ts";
import { EngineError } from "./errors.ts";

/** What one call to the engine is about and how long it may take. */
export interface CallLimits {
  readonly deadlineMs: number;
  /** The container that the call is about; its breaker guards the call. */
  readonly containerId?: string;
}

/**
 * Makes every call to the engine with a deadline, and leaves containers alone that did not answer
 * lately.
 */
export interface Calls {
  /** @throws EngineError always in that shape; a 304 ("it is so already") becomes `undefined`. */
  call<T>(limits: CallLimits, run: (signal: AbortSignal) => Promise<T>): Promise<T | undefined>;
}

interface Breaker {
  readonly failures: number;
  readonly closedAgainAt: number;
}

const FIRST_REST_MS = 5_000;
const LONGEST_REST_MS = 60_000;

/**
 * One hung container must not hold up the node: engines are known to answer for all but one
 * container. After a call about a container ran into its deadline, further calls about it fail at
 * once for 5 s, doubling up to a minute.
 * `monotonic` gives milliseconds that never go back.
 */
export function createCalls(monotonic: () => number): Calls {
  const breakers = new Map<string, Breaker>();

  function check(containerId: string): void {
    const breaker = breakers.get(containerId);
    if (breaker !== undefined && monotonic() < breaker.closedAgainAt) {
      const restMs = Math.round(breaker.closedAgainAt - monotonic());
      throw new EngineError("hung", `the engine did not answer about this container; next try in ${restMs} ms`);
    }
  }

  function trip(containerId: string): void {
    const failures = (breakers.get(containerId)?.failures ?? 0) + 1;
    const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (failures - 1));
    breakers.set(containerId, { failures, closedAgainAt: monotonic() + restMs });
  }

  return {
    call: async ({ deadlineMs, containerId }, run) => {
      if (containerId !== undefined) check(containerId);
      const signal = AbortSignal.timeout(deadlineMs);
      try {
        const value = await Promise.race([run(signal), rejectOn(signal, deadlineMs)]);
        if (containerId !== undefined) breakers.delete(containerId);
        return value;
      } catch (error) {
        if (isAlreadySo(error)) return undefined;
        const failure = toEngineError(error);
        if (containerId !== undefined) {
          if (failure.code === "timeout") trip(containerId);
          else breakers.delete(containerId);
        }
        throw failure;
      }
    },
  };
}

/** The deadline holds even where the client library does not heed the signal. */
function rejectOn(signal: AbortSignal, deadlineMs: number): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener(
      "abort",
      () => reject(new EngineError("timeout", `the engine did not answer within ${deadlineMs} ms`)),
      {
        once: true,
      },
    );
  });
}
