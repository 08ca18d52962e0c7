import { describe, expect, it } from "vitest";
import type { HostingChange, WorkspaceLocation } from "./host.ts";
import { isEmptyPlan, whyHostingStale } from "./hosting-plan.ts";
import type { HostingPlan, HostingRecords, RecordedHost, RecordedWorkspace } from "./hosting-plan.ts";
import { planHosting, type HostLiveness } from "./plan-hosting.ts";

const host = (id: string, over: Partial<RecordedHost> = {}): RecordedHost => ({
  ...{
    id,
    nodeId: `node-${id}`,
    availability: "active",
    most: 100,
    lastPlaced: 0,
    seenAt: 0,
    renewals: 5,
    workspaceId: undefined,
  },
  load: { connections: 0, messagesPerSecond: 0, memoryShare: 0 },
  ...over,
});
const workspace = (id: string, over: Partial<RecordedWorkspace> = {}): RecordedWorkspace => ({
  ...{ id, tenantId: "acme", mode: "shared", desired: "run", strategy: "least-loaded", epoch: 0, waiting: "" },
  ...over,
});
const location = (workspaceId: string, hostId: string, over: Partial<WorkspaceLocation> = {}): WorkspaceLocation => ({
  ...{ workspaceId, hostId, epoch: 1, desired: "run", state: "running" },
  ...over,
});
const records = (over: Partial<HostingRecords> = {}): HostingRecords => ({
  ...{ hosts: [], workspaces: [], locations: [], moves: [] },
  ...over,
});
const ready = (...ids: readonly string[]): HostLiveness => new Map(ids.map(id => [id, "ready"]));

const words = (one: HostingChange): string =>
  one.kind === "place"
    ? `${one.workspaceId} on ${one.hostId}`
    : `${one.kind} ${one.workspaceId}${one.kind === "wait" ? `: ${one.because}` : ""}`;
const told = (over: Partial<HostingRecords>, liveness: HostLiveness): readonly string[] =>
  planHosting(records(over), liveness).changes.map(words);

describe("a standalone workspace", () => {
  const own = workspace("alone", { mode: "standalone" });

  it("goes to its own host and to no other, and a shared one never goes there", () => {
    const hosts = [host("a"), host("b", { workspaceId: "alone" }), host("c", { workspaceId: "else" })];
    const workspaces = [own, workspace("one"), workspace("two")];
    expect(told({ hosts, workspaces }, ready("a", "b", "c"))).toEqual(["one on a", "two on a", "alone on b"]);
    expect(told({ hosts: [host("a")], workspaces: [own] }, ready("a"))).toEqual([
      "wait alone: its own host does not report yet; see its deployment",
    ]);
  });

  it("is given away first by the shared host that has it still, and is not begun beside it", () => {
    const hosts = [host("a"), host("b", { workspaceId: "alone" })];
    const over = { hosts, workspaces: [{ ...own, epoch: 1 }], locations: [location("alone", "a")] };
    expect(told(over, ready("a", "b"))).toEqual(["stop alone"]);
    const stopped = { ...over, locations: [location("alone", "a", { desired: "stop", state: "stopped" })] };
    expect(told(stopped, ready("a", "b"))).toEqual(["forget alone", "alone on b"]);
  });
});

describe("records that nobody needs", () => {
  it("go: deleted workspaces without a host, and silent hosts without a workspace", () => {
    const workspaces = [workspace("a", { desired: "deleted" }), workspace("b", { desired: "deleted" })];
    const over = { hosts: [host("h"), host("i")], workspaces, locations: [location("b", "h")] };
    const liveness = new Map([...ready("h"), ["i", "down"] as const]);
    const plan = planHosting(records(over), liveness);
    expect([plan.gone, plan.lost, plan.changes.map(words)]).toEqual([["a"], ["i"], ["stop b"]]);
    expect(isEmptyPlan(plan)).toBe(false);
    expect(isEmptyPlan(planHosting(records({ hosts: [host("h")] }), ready("h")))).toBe(true);
  });

  it("stay while no shared host answers, and say how many there were and until when", () => {
    const hosts = [host("h", { seenAt: 1_000 }), host("i", { seenAt: 2_000 }), host("own", { workspaceId: "alone" })];
    const waiting = { hosts, workspaces: [workspace("w"), workspace("alone", { mode: "standalone", epoch: 1 })] };
    const silent = new Map([["h", "down"] as const, ["i", "down"] as const]);
    const plan = planHosting(records(waiting), new Map([...silent, ...ready("own")]));
    expect(plan.lost).toEqual([]);
    expect(plan.changes.map(words)).toContainEqual(
      expect.stringMatching(/^wait w: .*none of 2 shared hosts has answered since 1970-01-01T00:00:02/),
    );
    expect(planHosting(records(waiting), new Map([...silent, ["own", "down"]])).lost).toEqual(["own"]);
    expect(planHosting(records(waiting), new Map([...silent, ...ready("i", "own")])).lost).toEqual(["h"]);
  });

  it("do not go with a host of which nothing is known yet", () => {
    expect(planHosting(records({ hosts: [host("h")] }), new Map()).lost).toEqual([]);
  });
});

describe("a plan", () => {
  const plan = (changes: readonly HostingChange[], over: Partial<HostingPlan> = {}): HostingPlan => ({
    ...{ changes, silenced: new Map(), gone: [], lost: [] },
    ...over,
  });
  const because = "";
  const place = (epoch = 2): HostingChange => ({
    ...{ kind: "place", workspaceId: "w", hostId: "b", epoch, placement: 1, because },
  });
  const forget: HostingChange = { kind: "forget", workspaceId: "w", epoch: 1, because };
  const basis = (state: WorkspaceLocation["state"], over: Partial<HostingRecords> = {}) =>
    records({
      hosts: [host("a", { renewals: 5 }), host("b")],
      workspaces: [workspace("w", { epoch: 1 })],
      locations: [location("w", "a", { state })],
      ...over,
    });

  it("forgets what its host has let go of, or what a host has that got no lease since", () => {
    expect(whyHostingStale(basis("stopped"), plan([forget, place()]))).toBeUndefined();
    const silenced = new Map([["a", 5]]);
    expect(whyHostingStale(basis("running"), plan([forget, place()], { silenced }))).toBeUndefined();
  });

  it("is stale where the host got another lease, or was never silent", () => {
    const why = "host a has not let go of w and got another lease meanwhile";
    expect(whyHostingStale(basis("running"), plan([forget], { silenced: new Map([["a", 4]]) }))).toBe(why);
    expect(whyHostingStale(basis("running"), plan([forget]))).toBe(why);
  });

  it("is stale where the workspace has an owner, was placed meanwhile, or is not wanted", () => {
    expect(whyHostingStale(basis("running"), plan([place()]))).toBe("workspace w still has an owner");
    const empty = { locations: [] };
    expect(whyHostingStale(basis("running", empty), plan([place(), place()]))).toBe("workspace w still has an owner");
    expect(whyHostingStale(basis("running", empty), plan([place(3)]))).toBe("workspace w was placed meanwhile");
    const stopped = { ...empty, workspaces: [workspace("w", { epoch: 1, desired: "stopped" })] };
    expect(whyHostingStale(basis("running", stopped), plan([place()]))).toBe("workspace w is not wanted any more");
    const noHost = { ...empty, hosts: [] };
    expect(whyHostingStale(basis("running", noHost), plan([place()]))).toBe("host b is gone");
    expect(whyHostingStale(records(), plan([place()]))).toBe("workspace w is gone");
    expect(whyHostingStale(records(), plan([forget]))).toBe("w at epoch 1 is not placed any more");
  });

  it("deletes no workspace that is wanted or has a host, and no host that lives or has a workspace", () => {
    const silenced = new Map([["a", 5]]);
    expect(whyHostingStale(basis("running"), plan([], { gone: ["w"] }))).toBe("workspace w is wanted, or has a host");
    const deleted = { workspaces: [workspace("w", { desired: "deleted" })] };
    expect(whyHostingStale(basis("running", deleted), plan([], { gone: ["w"] }))).toContain("has a host");
    expect(whyHostingStale(basis("running", { ...deleted, locations: [] }), plan([], { gone: ["w"] }))).toBeUndefined();
    expect(whyHostingStale(basis("running"), plan([], { lost: ["a"], silenced }))).toContain("host a has a workspace");
    expect(whyHostingStale(basis("running", { locations: [] }), plan([], { lost: ["a"] }))).toContain("another lease");
    expect(whyHostingStale(basis("running", { locations: [] }), plan([], { lost: ["a"], silenced }))).toBeUndefined();
  });
});
