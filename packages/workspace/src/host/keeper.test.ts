import { aConnector } from "@skep/core/testing/connector.ts";
import type { AssignedWorkspace, HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock, type VirtualClock } from "@skep/kit/virtual-clock.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { createKeeper, type Keeper } from "./keeper.ts";
import { createTestContainers, type TestContainers } from "./testing/containers.ts";

let clock: VirtualClock;
let log: ReturnType<typeof createRecordingLog>;
let containers: TestContainers;
let keeper: Keeper;
let revision: number;

const workspace = (over: Partial<AssignedWorkspace> = {}): AssignedWorkspace => ({
  ...{ id: "fleet", epoch: 3, desired: "run", connector: aConnector({ id: "fleet" }), version: 1, restarts: 0 },
  ...{ databasePool: 10, rulesVersion: 0, ...over },
});
const assignment = (workspaces: readonly AssignedWorkspace[], over: Partial<HostAssignment> = {}): HostAssignment => ({
  ...{ hostId: "h", incarnation: "inc", term: 1, revision: ++revision, workspaces },
  ...over,
});

/** What is told, and all that follows from it within a moment. */
async function take(...workspaces: readonly AssignedWorkspace[]): Promise<void> {
  keeper.take(assignment(workspaces));
  await clock.settle();
}
const states = (): readonly string[] => keeper.statuses().map(one => `${one.workspaceId}@${one.epoch} ${one.state}`);
const open = (): readonly number[] => containers.all.filter(one => !one.isClosed).map(one => one.workspace.epoch);

/** The records say that a placement is over, at the revision that was told last. */
const ended = (epoch: number, at = revision): void => keeper.ended([{ workspaceId: "fleet", epoch }], at);

beforeEach(() => {
  clock = createVirtualClock();
  log = createRecordingLog();
  containers = createTestContainers(clock);
  revision = 0;
  const leases = { mayRead: () => true };
  keeper = createKeeper({ clock, log, containers, leases, random: () => 0.5, onChange: () => undefined }, "h");
});

describe("what a host is told", () => {
  it("is begun, and ended by name only", async () => {
    await take(workspace(), workspace({ id: "other" }));
    expect(states()).toEqual(["fleet@3 running", "other@3 running"]);
    await take(workspace({ desired: "stop" }));
    expect(states()).toEqual(["fleet@3 stopped", "other@3 running"]);
    await take();
    expect(states()).toEqual(["fleet@3 stopped", "other@3 running"]);
    ended(3);
    expect(states()).toEqual(["other@3 running"]);
  });

  it("is not taken where it is older, or for another host", async () => {
    await take(workspace());
    keeper.take(assignment([workspace({ desired: "stop" })], { revision: 0 }));
    keeper.take(assignment([workspace({ desired: "stop" })], { term: 0 }));
    keeper.take(assignment([workspace({ desired: "stop" })], { hostId: "another" }));
    await clock.settle();
    expect(states()).toEqual(["fleet@3 running"]);
    expect(log.lines.map(line => line.event)).toEqual(Array.from({ length: 3 }, () => "assignment.refused"));
    expect(keeper.applied()).toEqual({ incarnation: "inc", term: 1, revision: 1 });
  });

  it("is not taken of a lower epoch or version, nor begun again once it is to stop", async () => {
    await take(workspace({ version: 2 }));
    await take(workspace({ epoch: 2, version: 9, desired: "stop" }));
    await take(workspace({ version: 1, databasePool: 99 }));
    expect([containers.all.length, containers.all[0]!.updates, states()]).toEqual([1, 0, ["fleet@3 running"]]);
    await take(workspace({ version: 2, desired: "stop" }));
    await take(workspace({ version: 2 }));
    expect(states()).toEqual(["fleet@3 stopped"]);
  });

  it("is taken of a later placement, though the one before was told to stop and had a later version", async () => {
    await take(workspace({ version: 5 }));
    await take(workspace({ version: 5, desired: "stop" }));
    await take(workspace({ epoch: 4, version: 4 }));
    expect(states()).toEqual(["fleet@4 running"]);
  });

  it("is no news where it was told before", async () => {
    await take(workspace());
    await take(workspace());
    expect(containers.all.map(one => one.updates)).toEqual([0]);
  });

  it("begins nothing that the records called over, however late it comes", async () => {
    await take(workspace());
    ended(3, revision + 1);
    await clock.settle();
    await clock.advance(100);
    expect(states()).toEqual([]);
    await take(workspace());
    expect([states(), open(), containers.all.length]).toEqual([[], [], 1]);
    await take(workspace({ epoch: 4 }));
    expect([states(), open()]).toEqual([["fleet@4 running"], [4]]);
  });

  it("ends nothing newer than what the records called over", async () => {
    await take(workspace({ epoch: 4 }));
    ended(3);
    await clock.settle();
    expect(open()).toEqual([4]);
  });

  it("is begun at whatever epoch once its workspace was deleted and made again", async () => {
    await take(workspace());
    ended(3);
    await clock.settle();
    await take(workspace({ epoch: 1 }));
    expect([states(), open()]).toEqual([["fleet@1 running"], [1]]);
  });

  it("is begun anew though the container of the deleted one is still ending, at the same epoch", async () => {
    containers.closeMs = 500;
    await take(workspace({ epoch: 1 }));
    ended(1);
    await take(workspace({ epoch: 1 }));
    expect(states()).toEqual(["fleet@1 assigned"]);
    await clock.advance(500);
    expect([states(), open(), containers.all.length]).toEqual([["fleet@1 running"], [1], 2]);
    expect(containers.all.map(one => one.lease.mayRead())).toEqual([false, true]);
  });

  it("goes on where an end was said before it was placed anew", async () => {
    await take(workspace({ epoch: 1 }));
    ended(1, revision - 1);
    await clock.settle();
    expect([states(), open()]).toEqual([["fleet@1 running"], [1]]);
  });
});

describe("a container", () => {
  it("of an older placement is gone before the next one begins", async () => {
    containers.closeMs = 500;
    await take(workspace());
    await take(workspace({ epoch: 4 }));
    expect([states(), containers.all.length]).toEqual([["fleet@4 assigned"], 1]);
    await clock.advance(500);
    expect([states(), containers.all.length]).toEqual([["fleet@4 running"], 2]);
  });

  it("may not be read by from the moment that it is to stop, and is not called stopped before it is", async () => {
    containers.closeMs = 500;
    await take(workspace());
    const [container] = containers.all;
    expect(container!.lease.mayRead()).toBe(true);
    keeper.take(assignment([workspace({ desired: "stop" })]));
    expect(container!.lease.mayRead()).toBe(false);
    await clock.settle();
    expect(states()).toEqual(["fleet@3 running"]);
    await clock.advance(500);
    expect(states()).toEqual(["fleet@3 stopped"]);
  });

  it("that is still beginning is not called stopped", async () => {
    containers.startMs = 500;
    await take(workspace());
    await take(workspace({ desired: "stop" }));
    expect(states()).toEqual(["fleet@3 assigned"]);
    await clock.advance(500);
    expect([states(), open()]).toEqual([["fleet@3 stopped"], []]);
  });

  it("that does not end is given up, and reads nothing ever again", async () => {
    containers.closeMs = 1e9;
    await take(workspace());
    await take(workspace({ restarts: 1 }));
    containers.closeMs = 0;
    await clock.advance(10_000);
    expect(states()).toEqual(["fleet@3 running"]);
    expect(containers.all.map(one => one.lease.mayRead())).toEqual([false, true]);
    expect(log.lines.map(line => line.event)).toContain("workspace.unclean");
  });

  it("ends before its data is removed, and what removes it is begun", async () => {
    await take(workspace());
    await take(workspace({ removesData: true, version: 2 }));
    expect(containers.all.map(one => [one.workspace.removesData, one.isClosed])).toEqual([
      [undefined, true],
      [true, false],
    ]);
  });

  it.each([false, true])("is told as it ends whether it is dropped: %s", async isDropped => {
    await take(workspace());
    const stop = { desired: "stop", version: 2 } as const;
    await take(workspace(isDropped ? { ...stop, isDropped } : stop));
    expect(containers.all.map(one => [one.isClosed, one.isDropped])).toEqual([[true, isDropped]]);
  });

  it("that cannot begin is tried again, at once where something else is wanted", async () => {
    containers.failure = "no";
    await take(workspace());
    await clock.advance(60_000);
    expect(keeper.statuses()).toMatchObject([{ state: "assigned", lastError: "no" }]);
    expect(log.lines.filter(line => line.event === "workspace.failed")).toHaveLength(1);
    containers.failure = "";
    await take(workspace({ version: 2 }));
    expect(keeper.statuses()).toMatchObject([{ state: "running", lastError: "" }]);
  });

  it("takes what was wanted while it began", async () => {
    containers.startMs = 500;
    await take(workspace());
    await take(workspace({ version: 2 }));
    await clock.advance(500);
    expect(containers.all).toMatchObject([{ updates: 1, isClosed: false }]);
  });
});

it("lets go of everything as it closes, reads nothing from then on, and begins nothing any more", async () => {
  await take(workspace(), workspace({ id: "other" }));
  const closing = keeper.close();
  expect(containers.reading()).toEqual([]);
  await closing;
  await take(workspace({ epoch: 4 }));
  expect([open(), states()]).toEqual([[], []]);
});
