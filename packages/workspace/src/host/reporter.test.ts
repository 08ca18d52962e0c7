import type { HostAnswer, HostedStatus, HostReport } from "@skep/core/workspace/host-report.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { HostApi } from "./host-api.ts";
import { createReadLeases, type ReadLeases } from "./read-leases.ts";
import { createReporter, type Reporter } from "./reporter.ts";

const own = { workspaceId: "fleet", epoch: 1 };
const status: HostedStatus = { ...own, state: "running", isHealthy: true, counts: {}, lastError: "" };
const granted: HostAnswer = { holdMs: 2_000, granted: [own], ended: [], anew: "", revision: 0 };

const clock = createVirtualClock();
let sent: HostReport[];
let answer: () => Promise<HostAnswer>;
let leases: ReadLeases;
let reporter: Reporter;

beforeEach(() => {
  sent = [];
  answer = () => clock.sleep(500).then(() => granted);
  leases = createReadLeases(clock);
  const api = {
    report: report => {
      sent.push(report);
      return answer();
    },
  } as Partial<HostApi> as HostApi;
  const load = () => ({ connections: 0, messagesPerSecond: 0, memoryShare: 0 });
  reporter = createReporter({
    ...{ api, clock, leases, isDraining: () => false, onAnswer: () => undefined },
    loops: createLoops({ clock, log: createRecordingLog(), random: () => 0.5 }),
    facts: { nodeId: "n", startedAt: 0, version: "1", most: 1, address: "", eventsPort: 0, load },
    enrolled: { hostId: "h", workspaceId: undefined },
    keeper: {
      statuses: () => [status],
      applied: () => ({ incarnation: "", term: 0, revision: 0 }),
      ...{ take: () => undefined, ended: () => undefined, close: () => Promise.resolve() },
    },
  });
});
afterEach(() => reporter.close());

it("counts a lease from when it asked, however late the answer comes", async () => {
  const startedAt = clock.monotonic();
  await clock.advance(500);
  answer = () => new Promise(() => undefined);
  await clock.advance(startedAt + 1_999 - clock.monotonic());
  expect(leases.mayRead(own)).toBe(true);
  await clock.advance(1);
  expect(leases.mayRead(own)).toBe(false);
});

it("reports each second, at once when something changed, and again soon where no answer came", async () => {
  answer = () => Promise.resolve(granted);
  await clock.advance(2_600);
  expect(sent.map(one => one.seq)).toEqual([1, 2, 3]);
  reporter.hint();
  await clock.advance(50);
  expect(sent).toHaveLength(4);
  answer = () => new Promise(() => undefined);
  await clock.advance(1_000);
  answer = () => Promise.resolve(granted);
  await clock.advance(900);
  // The one without an answer was given up after 0.6 s: the lease of the one before still held.
  expect(sent.length).toBeGreaterThanOrEqual(6);
  expect(leases.mayRead(own)).toBe(true);
});
