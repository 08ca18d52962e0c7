import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createFleetClock } from "./fleet-clock.ts";

it("goes by the database's time once it was heard, whatever the machine's clock does", async () => {
  const machine = createVirtualClock(1_000_000);
  let skewMs = 0;
  const clock = createFleetClock({ ...machine, now: () => machine.now() + skewMs });
  expect(clock.now()).toBe(1_000_000);
  clock.heard(5_000_000);
  await machine.advance(1_500);
  skewMs = -3_600_000;
  expect(clock.now()).toBe(5_001_500);
  clock.heard(5_001_600);
  expect(clock.now()).toBe(5_001_600);
});
