import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until `check` passes without throwing and answers what it returned. Tests wait for a
 * condition, never for a time; `withinMs` is only where they give up. It needs no test runner: the
 * load suite uses it too.
 * @throws the last error of `check` after `withinMs`.
 */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 10_000, everyMs = 50): Promise<T> {
  const deadlineAt = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (cause) {
      if (performance.now() > deadlineAt) throw cause;
      await sleep(everyMs);
    }
  }
}
