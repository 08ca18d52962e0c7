import { vi } from "vitest";

/**
 * Waits until `check` passes without throwing and answers what it returned. Tests wait for a condition, never for a
 * time; `withinMs` is only where they give up.
 * @throws the last error of `check` after `withinMs`.
 */
export function eventually<T>(check: () => T | Promise<T>, withinMs = 10_000, everyMs = 50): Promise<T> {
  return vi.waitFor(check, { timeout: withinMs, interval: everyMs });
}
