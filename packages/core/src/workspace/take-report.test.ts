import { describe, expect, it } from "vitest";
import type { HostedStatus, HostReport } from "./host-report.ts";
import { takeReport, type HostOnRecord, type ReportedLocation } from "./take-report.ts";

const status = (workspaceId: string, over: Partial<HostedStatus> = {}): HostedStatus => ({
  ...{ workspaceId, epoch: 3, state: "running", isHealthy: true, counts: {}, lastError: "" },
  ...over,
});
const location = (workspaceId: string, over: Partial<ReportedLocation> = {}): ReportedLocation => ({
  ...{ workspaceId, epoch: 3, hostId: "h", desired: "run", state: "running", isHealthy: true, counts: {} },
  ...{ lastError: "", ...over },
});
const report = (over: Partial<HostReport> = {}): HostReport => ({
  ...{ hostId: "h", nodeId: "n", workspaceId: undefined, startedAt: 1, version: "1", seq: 7, availability: "active" },
  ...{ most: 10, load: { connections: 0, messagesPerSecond: 0, memoryShare: 0 }, workspaces: [] },
  ...{ address: "", eventsPort: 0 },
  applied: { incarnation: "inc", term: 1, revision: 4 },
  ...over,
});
const known: HostOnRecord = { revision: 4, seq: 6, availability: "active", workspaceId: undefined };
const take = (
  over: Partial<HostReport>,
  locations: readonly ReportedLocation[] = [],
  host: HostOnRecord | undefined = known,
) => takeReport(host, locations, report(over), { holdMs: 2_000, incarnation: "inc" });

describe("a report", () => {
  it("is granted what it names and owns, and is told what it owns no more", () => {
    const workspaces = [status("a"), status("b"), status("c", { epoch: 2 })];
    const { answer } = take({ workspaces }, [location("a"), location("c"), location("d")]);
    expect(answer).toEqual({
      holdMs: 2_000,
      granted: [{ workspaceId: "a", epoch: 3 }],
      ended: [
        { workspaceId: "b", epoch: 3 },
        { workspaceId: "c", epoch: 2 },
      ],
      ...{ anew: "", revision: 4 },
    });
  });

  it("is granted nothing that stopped, now or before, and is not told to forget it yet", () => {
    const workspaces = [status("a", { state: "stopped" }), status("b")];
    const { answer, statuses, changed } = take({ workspaces }, [location("a"), location("b", { state: "stopped" })]);
    expect([answer.granted, answer.ended]).toEqual([[], []]);
    expect(statuses.map(one => one.workspaceId)).toEqual(["a"]);
    expect(changed).toBe(true);
  });

  it("goes on with what it is to stop until it has", () => {
    expect(take({ workspaces: [status("a")] }, [location("a", { desired: "stop" })]).answer.granted).toHaveLength(1);
  });

  it("is written where it says something new; numbers only now and then", () => {
    const counts = { stored: 9 };
    expect(take({ workspaces: [status("a", { counts })] }, [location("a")]).statuses).toEqual([]);
    expect(take({ seq: 10, workspaces: [status("a", { counts })] }, [location("a")]).statuses).toHaveLength(1);
    const unwell = take({ workspaces: [status("a", { isHealthy: false })] }, [location("a")]);
    expect([unwell.statuses.length, unwell.changed]).toEqual([1, false]);
    expect(take({ workspaces: [status("a", { lastError: "no" })] }, [location("a")]).statuses).toHaveLength(1);
    const began = take({ workspaces: [status("a")] }, [location("a", { state: "assigned" })]);
    expect([began.statuses.length, began.changed]).toEqual([1, true]);
  });

  it("changes nothing where a newer one was taken", () => {
    const late = take({ seq: 6, workspaces: [status("a", { state: "assigned" })] }, [location("a")]);
    expect([late.isNewest, late.statuses, late.changed]).toEqual([false, [], false]);
    expect(take({}).isNewest).toBe(true);
  });

  it("wakes the leader where the host is new, or gives everything away", () => {
    const fresh = { seq: 1, applied: { incarnation: "", term: 0, revision: 0 } };
    const first = takeReport(undefined, [], report(fresh), { holdMs: 2_000, incarnation: "inc" });
    expect([first.changed, first.answer.anew]).toEqual([true, ""]);
    expect(take({ availability: "drain" }).changed).toBe(true);
    expect(take({}).changed).toBe(false);
  });
});

describe("a host begins anew", () => {
  const anew = (over: Partial<HostReport>, host: HostOnRecord | undefined): string =>
    takeReport(host, [location("a")], report({ workspaces: [status("a")], ...over }), {
      ...{ holdMs: 2_000, incarnation: "inc" },
    }).answer.anew;

  it("where the records do not know it, or know less of it than it does", () => {
    expect(anew({}, undefined)).toBe("the records do not know host h");
    const applied = { incarnation: "inc", term: 1, revision: 5 };
    expect(anew({ applied }, known)).toBe("the records know an older state of host h than it works by");
    expect(anew({ applied: { ...applied, incarnation: "other" } }, known)).toBe("");
    expect(anew({ workspaceId: "w" }, known)).toBe("host h is recorded for another workspace");
  });

  it("and is granted nothing", () => {
    const taken = take({ workspaces: [status("a")], workspaceId: "w" }, [location("a")]);
    expect([taken.answer.granted, taken.answer.ended, taken.isNewest]).toEqual([[], [], false]);
  });
});
