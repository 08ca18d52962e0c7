import { SkepError } from "@skep/sdk/index.ts";
import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 200;
const WITHIN_MS = 60_000;

/**
 * Repeats a call while the platform says that it is not available for the moment, as programs do;
 * the time counts. The call must bear an idempotency key, since nobody knows whether the one before
 * was carried out.
 * @throws whatever else the call throws, and `unavailable` after a minute.
 */
export async function insist<T>(call: () => Promise<T>): Promise<T> {
  const deadlineAt = performance.now() + WITHIN_MS;
  for (;;) {
    try {
      return await call();
    } catch (cause) {
      const isPassing = cause instanceof SkepError && cause.code === "unavailable";
      if (!isPassing || performance.now() > deadlineAt) throw cause;
      await sleep(PAUSE_MS);
    }
  }
}
