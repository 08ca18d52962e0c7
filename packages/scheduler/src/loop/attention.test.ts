import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createAttention } from "./attention.ts";

it("counts the time that the process was awake, and not the time that it slept through", async () => {
  const machine = createVirtualClock();
  let pausedMs = 0;
  const clock = { ...machine, monotonic: () => machine.monotonic() + pausedMs };
  const attention = createAttention(clock);
  await machine.advance(5_000);
  expect(attention.ms()).toBe(5_000);
  pausedMs = 60_000;
  expect(attention.ms()).toBeLessThanOrEqual(5_200);
  await machine.advance(1_000);
  expect(attention.ms()).toBeLessThanOrEqual(6_200);
  attention.close();
});
