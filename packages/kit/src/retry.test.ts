import fc from "fast-check";
import { expect, test } from "vitest";
import { retry, retryDelay } from "./retry.ts";
import { createVirtualClock } from "./virtual-clock.ts";

test("the wait doubles from its base to its bound, and chance takes at most half of it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, chance) => {
      const full = Math.min(10_000, 100 * 2 ** (attempt - 1));
      const delay = retryDelay(attempt, () => chance);
      expect(delay).toBeGreaterThanOrEqual(full / 2);
      expect(delay).toBeLessThanOrEqual(full);
    }),
  );
});

test("it repeats until the call succeeds", async () => {
  const clock = createVirtualClock();
  const result = retry(
    attempt => (attempt < 4 ? Promise.reject(new Error("no")) : Promise.resolve(attempt)),
    {},
    clock,
  );
  await clock.advance(60_000);
  expect(await result).toBe(4);
});

test("it gives the last error when the attempts are used up", async () => {
  const clock = createVirtualClock();
  const seen: number[] = [];
  const failing = retry(
    attempt => Promise.reject(new Error(`attempt ${attempt}`)),
    { attempts: 3, onRetry: (_, attempt) => seen.push(attempt) },
    clock,
  );
  const refused = expect(failing).rejects.toThrow("attempt 3");
  await clock.advance(60_000);
  await refused;
  expect(seen).toEqual([1, 2]);
});

test("an error that is not transient is thrown at once", async () => {
  const clock = createVirtualClock();
  let calls = 0;
  const failing = retry(() => (calls++, Promise.reject(new Error("wrong"))), { isTransient: () => false }, clock);
  await expect(failing).rejects.toThrow("wrong");
  expect(calls).toBe(1);
});

test("an aborted signal ends the wait with the last error", async () => {
  const clock = createVirtualClock();
  const stop = new AbortController();
  const failing = retry(() => Promise.reject(new Error("away")), {}, clock, stop.signal);
  const refused = expect(failing).rejects.toThrow("away");
  await clock.advance(1);
  stop.abort();
  await refused;
  expect(clock.nextAt()).toBeUndefined();
});
