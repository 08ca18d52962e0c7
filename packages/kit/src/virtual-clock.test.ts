import fc from "fast-check";
import { expect, test } from "vitest";
import { createVirtualClock } from "./virtual-clock.ts";

test("timers run in order of time, then of creation, at their own time", async () => {
  const clock = createVirtualClock(1_000);
  const seen: string[] = [];
  clock.timer(20, () => seen.push(`late ${clock.now()}`));
  clock.timer(10, () => seen.push(`first ${clock.now()}`));
  clock.timer(10, () => seen.push(`second ${clock.now()}`));
  await clock.advance(15);
  expect(seen).toEqual(["first 1010", "second 1010"]);
  expect(clock.now()).toBe(1_015);
  await clock.advance(5);
  expect(seen).toHaveLength(3);
});

test("a cancelled timer does not run", async () => {
  const clock = createVirtualClock();
  let runs = 0;
  clock.timer(1, () => runs++)();
  await clock.advance(10);
  expect([runs, clock.nextAt()]).toEqual([0, undefined]);
});

test("all that a timer sets off comes to rest before the next timer, however long the chain of promises", async () => {
  const clock = createVirtualClock();
  const seen: string[] = [];
  const chain = async (): Promise<void> => {
    for (let link = 0; link < 100; link++) await Promise.resolve();
    seen.push("chain");
  };
  clock.timer(1, () => void chain());
  clock.timer(1, () => seen.push("next"));
  await clock.advance(1);
  expect(seen).toEqual(["chain", "next"]);
});

test("what was set off in a tick of the process comes to rest before the first timer", async () => {
  const clock = createVirtualClock();
  const seen: string[] = [];
  const chain = async (): Promise<void> => {
    for (let link = 0; link < 3; link++) await Promise.resolve();
    seen.push("chain");
  };
  clock.timer(0, () => seen.push("timer"));
  await new Promise<void>((resolve, reject) => {
    // A message of another process comes in such a tick.
    process.nextTick(() => {
      void chain();
      clock.advance(1).then(resolve, reject);
    });
  });
  expect(seen).toEqual(["chain", "timer"]);
});

test("a loop that sleeps takes the turns that fit into the time", async () => {
  const clock = createVirtualClock();
  const stop = new AbortController();
  let turns = 0;
  const loop = (async () => {
    while (!stop.signal.aborted) {
      turns++;
      await clock.sleep(100, stop.signal);
    }
  })();
  await clock.advance(1_000);
  expect(turns).toBe(11);
  stop.abort();
  await loop;
  expect(clock.nextAt()).toBeUndefined();
});

test("runUntil stops at the moment the condition holds, or gives up at the limit", async () => {
  const clock = createVirtualClock();
  let ready = false;
  clock.timer(30, () => (ready = true));
  expect(await clock.runUntil(() => ready, 20)).toBe(false);
  expect(clock.now()).toBe(20);
  expect(await clock.runUntil(() => ready, 1_000)).toBe(true);
  expect(clock.now()).toBe(30);
});

test("afterEach sees the world at rest after every timer", async () => {
  let value = 0;
  const seen: number[] = [];
  const clock = createVirtualClock(0, () => seen.push(value));
  clock.timer(1, () => void Promise.resolve().then(() => (value = 1)));
  clock.timer(2, () => (value = 2));
  await clock.advance(5);
  expect(seen).toEqual([1, 2]);
});

test("any set of delays is run in sorted order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 60 }), async delays => {
      const clock = createVirtualClock();
      const ran: { delay: number; number: number }[] = [];
      delays.forEach((delay, number) => clock.timer(delay, () => ran.push({ delay, number })));
      await clock.advance(50);
      const sorted = delays.map((delay, number) => ({ delay, number })).toSorted((a, b) => a.delay - b.delay);
      expect(ran).toEqual(sorted);
    }),
    { numRuns: 50 },
  );
});
