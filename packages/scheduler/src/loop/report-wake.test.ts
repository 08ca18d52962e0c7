import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createReportWake } from "./report-wake.ts";

it("wakes the leader once for the reports of a moment, not at once, and again for the next ones", async () => {
  const clock = createVirtualClock(0);
  const woken: string[] = [];
  const wake = createReportWake(clock, because => void woken.push(because));
  for (const because of ["a", "b", "c"]) {
    wake.soon(because);
    await clock.advance(1);
  }
  expect(woken).toEqual([]);
  await clock.advance(100);
  expect(woken).toEqual(["a"]);
  wake.soon("d");
  await clock.advance(100);
  expect(woken).toEqual(["a", "d"]);
});

it("wakes nobody once it is closed", async () => {
  const clock = createVirtualClock(0);
  const woken: string[] = [];
  const wake = createReportWake(clock, because => void woken.push(because));
  wake.soon("a");
  wake.close();
  await clock.advance(100);
  expect(woken).toEqual([]);
});
