import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createAlarmWindow } from "./alarm-window.ts";

const HALF_HOUR_MS = 30 * 60_000;

it("says each word once in a window, and tells at its end how many were left out", async () => {
  const clock = createVirtualClock(0);
  const counts: number[] = [];
  const alarms = createAlarmWindow(clock, count => void counts.push(count));
  expect(["a", "a", "b", "a"].map(word => alarms.isNew(word))).toEqual([true, false, true, false]);
  await clock.advance(HALF_HOUR_MS);
  expect([counts, alarms.isNew("a")]).toEqual([[2], true]);
  await clock.advance(HALF_HOUR_MS);
  expect(counts).toEqual([2]);
});

it("says no more words than a person can read, and goes on in the next window", async () => {
  const clock = createVirtualClock(0);
  const counts: number[] = [];
  const alarms = createAlarmWindow(clock, count => void counts.push(count));
  const flood = (): number =>
    Array.from({ length: 5_000 }, (_, at) => alarms.isNew(`word ${at}`)).filter(Boolean).length;
  const first = flood();
  expect(first).toBeLessThan(500);
  await clock.advance(HALF_HOUR_MS);
  expect([counts, flood()]).toEqual([[5_000 - first], first]);
});

it("says again what could not be recorded", () => {
  const alarms = createAlarmWindow(createVirtualClock(0), () => undefined);
  expect(alarms.isNew("a")).toBe(true);
  alarms.forget("a");
  expect(alarms.isNew("a")).toBe(true);
  alarms.close();
});
