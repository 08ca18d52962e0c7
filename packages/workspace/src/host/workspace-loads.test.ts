import { decideScaling } from "@skep/core/workspace/container.ts";
import { DEFAULT_SCALING } from "@skep/core/workspace/autoscale.ts";
import type { HostedStatus } from "@skep/core/workspace/host-report.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createWorkspaceLoads } from "./workspace-loads.ts";

const status = (workspaceId: string, counts: Readonly<Record<string, number>>): HostedStatus => ({
  ...{ workspaceId, epoch: 1, state: "running", isHealthy: true, counts, lastError: "" },
});

/** Two workspaces for so many minutes, of which one does three times as much. */
async function run(minutes: number, cpu = 80) {
  const clock = createVirtualClock();
  const measure = createWorkspaceLoads(clock, () => ({ cpu, memory: 40 }));
  let last: readonly HostedStatus[] = [];
  for (let second = 1; second <= minutes * 60; second += 1) {
    await clock.advance(1_000);
    last = measure([
      status("a", { "ingest.stored": second * 300, "events.sockets": 10 }),
      status("b", { "ingest.stored": second * 50, "events.delivered": second * 50, "events.sockets": 0 }),
    ]);
  }
  return { clock, measure, last };
}

it("gives each workspace its part of what the process uses, evened out over a minute", async () => {
  const { last } = await run(10);
  const rounded = last.map(({ counts }) =>
    Object.fromEntries(
      Object.entries(counts).flatMap(([name, value]) => (name.startsWith("load") ? [[name, Math.round(value)]] : [])),
    ),
  );
  expect(rounded).toEqual([
    { "load.cpuUsage": 60, "load.memoryUsage": 30, "load.connectionCount": 10, "load.messagesPerSecond": 300 },
    { "load.cpuUsage": 20, "load.memoryUsage": 10, "load.connectionCount": 0, "load.messagesPerSecond": 50 },
  ]);
});

it("says nothing of the first minute, and nothing negative of a container that began anew", async () => {
  const { last, clock, measure } = await run(0.5);
  expect(last[0]?.counts).not.toHaveProperty("load.cpuUsage");
  await clock.advance(60_000);
  const [anew] = measure([status("a", { "ingest.stored": 3 })]);
  expect(anew?.counts["load.messagesPerSecond"]).toBe(0);
});

it("gives nothing to one that does not run, or that it never saw, and no other sums when asked twice at once", async () => {
  const { last, measure } = await run(2);
  const again = measure([status("a", { "ingest.stored": 36_000, "events.sockets": 10 }), status("new", {})]);
  expect(again[0]?.counts["load.cpuUsage"]).toBe(last[0]?.counts["load.cpuUsage"]);
  expect(again[1]?.counts).toEqual({});
  const [stopped] = measure([{ ...status("a", {}), state: "stopped" }]);
  expect(stopped?.counts).toEqual({});
});

it("is what the policy of a workspace goes by", async () => {
  const { last } = await run(10, 100);
  const seen = { counts: last[0]!.counts, reportedAt: 0 };
  const policy = {
    ...DEFAULT_SCALING,
    enabled: true,
    triggers: { ...DEFAULT_SCALING.triggers, messagesPerSecond: 200 },
  };
  expect(decideScaling(policy, { instances: 1, scaledAt: undefined, seen }, 0)).toMatchObject({
    ...{
      instances: 2,
      because: expect.stringContaining("messages per second and instance is 300, above 200") as string,
    },
  });
});
