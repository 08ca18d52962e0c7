import { describe, expect, test } from "vitest";
import { createVirtualClock } from "./virtual-clock.ts";
import { createWake, type WakeTimes } from "./wake.ts";

describe("A wake", () => {
  function aWake(times: WakeTimes, durationMs = 0, fails = false) {
    const clock = createVirtualClock(1_000_000);
    const started: number[] = [];
    const errors: unknown[] = [];
    let active = 0;
    const wake = createWake(
      async () => {
        expect(++active).toBe(1);
        started.push(clock.now() - 1_000_000);
        if (durationMs > 0) await clock.sleep(durationMs);
        active--;
        if (fails) throw new Error("failed");
      },
      times,
      clock,
      error => {
        errors.push(error);
        return 120;
      },
    );
    return { clock, wake, started, errors };
  }

  test("runs at once at a hint, and many hints are one run", async () => {
    const { clock, wake, started } = aWake({ minGapMs: 50 });
    for (let count = 0; count < 5; count++) wake.hint();
    await clock.advance(1_000);
    expect(started).toEqual([0]);
  });

  test("keeps the gap between runs", async () => {
    const { clock, wake, started } = aWake({ minGapMs: 50 });
    wake.hint();
    await clock.advance(10);
    wake.hint();
    wake.hint();
    await clock.advance(500);
    wake.hint();
    await clock.advance(1);
    expect(started).toEqual([0, 50, 510]);
  });

  test("never runs twice at once, and a hint during a run makes exactly one more", async () => {
    const { clock, wake, started } = aWake({ minGapMs: 0 }, 100);
    wake.hint();
    await clock.advance(10);
    wake.hint();
    wake.hint();
    await clock.advance(1_000);
    expect(started).toEqual([0, 100]);
  });

  test("runs each period though nobody hints", async () => {
    const { clock, started } = aWake({ minGapMs: 10, periodMs: 200 });
    await clock.advance(700);
    expect(started).toEqual([200, 400, 600]);
  });

  test("runs at the earliest time it was given, once", async () => {
    const { clock, wake, started } = aWake({ minGapMs: 10, periodMs: 10_000 });
    wake.at(1_000_500);
    wake.at(1_000_300);
    wake.at(1_000_400);
    await clock.advance(5_000);
    expect(started).toEqual([300]);
  });

  test("a failed run is reported, and tried again after the time that it was told", async () => {
    for (const times of [{ minGapMs: 10, periodMs: 1_000 }, { minGapMs: 10 }]) {
      const { clock, wake, started, errors } = aWake(times, 0, true);
      wake.hint();
      await clock.advance(200);
      expect([started, errors.length]).toEqual([[0, 120], 2]);
    }
  });

  test("closes after the run that is under way, and runs no more", async () => {
    const { clock, wake, started } = aWake({ minGapMs: 0, periodMs: 50 }, 100);
    wake.hint();
    await clock.advance(10);
    let closed = false;
    const closing = wake.close().then(() => (closed = true));
    await clock.advance(10);
    expect(closed).toBe(false);
    await clock.advance(1_000);
    await closing;
    wake.hint();
    await clock.advance(1_000);
    expect(started).toEqual([0]);
  });
});
