import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { aLocation, anInstance, aWorld } from "@skep/core/testing/builders.ts";
import { expect, test } from "vitest";
import { brokenChangeRule } from "./change-rule.ts";
import { createDatabaseClock } from "./database-clock.ts";

test("A step back is believed by nobody any more once every leader has heard of it", async () => {
  const clock = createVirtualClock(100_000);
  const database = createDatabaseClock(clock);
  database.step(2_000);
  expect([database.now(), database.believed()]).toEqual([102_000, 102_000]);
  database.step(-3_000);
  expect([database.now(), database.believed()]).toEqual([99_000, 102_000]);
  await clock.advance(15_000);
  expect([database.now(), database.believed()]).toEqual([114_000, 114_000]);
});

test("A failed placement is followed by the next after its wait, by what its leader may believe", async () => {
  const clock = createVirtualClock(100_000);
  const database = createDatabaseClock(clock);
  const failed = aLocation({ epoch: 1, state: "failed", changedAt: database.now() });
  const before = aWorld({ instances: [anInstance({ epoch: 1 })], locations: [failed] });
  const after = { ...before, locations: [failed, aLocation({ epoch: 2, state: "assigned" })] };
  const broken = (): string | undefined => brokenChangeRule(before, after, database.believed());
  await clock.advance(1_354);
  expect(broken()).toMatch(/placed again 1354 ms after it failed/);
  await clock.advance(3_646);
  expect(broken()).toBeUndefined();
  database.step(-3_646);
  expect(broken()).toBeUndefined();
});
