import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, test } from "vitest";
import { createSizeLimit } from "./size.ts";

const MB = 1024 * 1024;

function aDatabase(megabytes: number, limitMb: number) {
  const clock = createVirtualClock();
  const real = { bytes: megabytes * MB, documents: 1024 * megabytes };
  let measurements = 0;
  const limit = createSizeLimit(
    () => {
      measurements += 1;
      return Promise.resolve({ ...real });
    },
    limitMb,
    clock,
  );
  return { clock, real, limit, measured: () => measurements };
}

const full = { code: "resource_exhausted", reason: "DATABASE_FULL" };

test("a database takes what fits, measured once for many writes", async () => {
  const { limit, measured } = aDatabase(1, 10);
  await Promise.all([limit.check(), limit.check(), limit.check()]);
  await limit.check();
  expect(measured()).toBe(1);
  expect(limit.state()).toEqual({ bytes: MB, limit: 10 * MB, isFull: false });
});

test("a database that is past its size takes no more and says what to do", async () => {
  const { limit } = aDatabase(11, 10);
  await expect(limit.check()).rejects.toMatchObject(full);
  await expect(limit.check()).rejects.toThrow("11.0 MB of 10 MB");
  expect(limit.state().isFull).toBe(true);
});

test("what is stored between two measurements counts, and a measurement decides", async () => {
  const { limit, real, measured } = aDatabase(9, 10);
  await limit.check();
  limit.grew(2 * 1024);
  await limit.check();
  expect(measured()).toBe(2);
  limit.grew(2 * 1024);
  real.bytes = 11 * MB;
  await expect(limit.check()).rejects.toMatchObject(full);
});

test("a full database takes more soon after something was deleted", async () => {
  const { limit, real, clock } = aDatabase(11, 10);
  await expect(limit.check()).rejects.toMatchObject(full);
  real.bytes = 5 * MB;
  await expect(limit.check()).rejects.toMatchObject(full);
  await clock.advance(2_000);
  await limit.check();
});

test("an old measurement is made again", async () => {
  const { limit, real, clock } = aDatabase(1, 10);
  await limit.check();
  real.bytes = 11 * MB;
  await limit.check();
  await clock.advance(10_000);
  await expect(limit.check()).rejects.toMatchObject(full);
});

test("a higher limit holds at once, a lower one too", async () => {
  const { limit } = aDatabase(11, 10);
  await expect(limit.check()).rejects.toMatchObject(full);
  limit.setLimit(12);
  await limit.check();
  limit.setLimit(3);
  await expect(limit.check()).rejects.toMatchObject(full);
});

test("what cannot be measured is not written to", async () => {
  const limit = createSizeLimit(() => Promise.reject(new Error("away")), 10, createVirtualClock());
  await expect(limit.check()).rejects.toThrow("away");
});

test("a young database, of whose documents nothing is known, is measured as it doubles", async () => {
  const { limit, real, measured } = aDatabase(0, 10);
  for (let batch = 0; batch < 64; batch++) {
    await limit.check();
    real.documents += 100;
    real.bytes += 10_000;
    limit.grew(100);
  }
  expect(measured()).toBe(7);
  real.documents += 6_400;
  real.bytes = 11 * MB;
  limit.grew(6_400);
  await expect(limit.check()).rejects.toMatchObject(full);
});
