import type { HostedStatus } from "@skep/core/workspace/host-report.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createLoadMeter } from "./load-meter.ts";

const status = (workspaceId: string, counts: Readonly<Record<string, number>>): HostedStatus => ({
  ...{ workspaceId, epoch: 1, state: "running", isHealthy: true, lastError: "", counts },
});

it("adds up sockets, and the messages that are stored in a second, evened out", async () => {
  const clock = createVirtualClock();
  const measure = createLoadMeter(clock, () => 0.5);
  let [first, second] = [1_000, 0];
  let load = measure([status("a", { "events.sockets": 3, "ingest.stored": first })]);
  expect(load).toEqual({ connections: 3, messagesPerSecond: 0, memoryShare: 0.5 });
  for (let at = 0; at < 60; at++) {
    await clock.advance(1_000);
    load = measure([
      status("a", { "events.sockets": 3, "ingest.stored": (first += 100) }),
      status("b", { "events.sockets": 4, "ingest.stored": (second += 50) }),
    ]);
  }
  expect(load.connections).toBe(7);
  expect(Math.round(load.messagesPerSecond)).toBe(150);
  await clock.advance(1_000);
  // One that begins anew counts from 0: that is no negative rate.
  expect(measure([status("a", { "ingest.stored": 0 })]).messagesPerSecond).toBeGreaterThanOrEqual(0);
  expect(createLoadMeter(clock, () => 7)([])).toEqual({ connections: 0, messagesPerSecond: 0, memoryShare: 1 });
});
