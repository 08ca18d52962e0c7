import { expect, test } from "vitest";
import type { HostingRecords, RecordedHost, RecordedWorkspace } from "./hosting-plan.ts";
import { startMigration } from "./migration.ts";
import { planAround, type HostingFacts } from "./plan-around.ts";

const host = (id: string): RecordedHost => ({
  ...{
    id,
    nodeId: id,
    workspaceId: undefined,
    availability: "active",
    most: 10,
    lastPlaced: 0,
    seenAt: 0,
    renewals: 1,
  },
  load: { connections: 0, messagesPerSecond: 0, memoryShare: 0 },
});
const workspace = (id: string): RecordedWorkspace => ({
  ...{ id, tenantId: "acme", mode: "shared", strategy: "least-loaded", epoch: 0, waiting: "", desired: "run" },
});
const FACTS: HostingFacts = {
  ...{
    liveness: new Map([["a", "ready"]]),
    gates: new Map(),
    now: 1_000,
    moveTimes: undefined,
    pods: { waiting: new Map(), leaving: new Set() },
  },
};
const MOVE = startMigration({ workspaceId: "bad", from: "shared", to: "standalone" }, 0);
/** Deciding on it throws. */
const BROKEN: typeof MOVE = Object.defineProperty({ ...MOVE }, "since", {
  get: () => {
    throw new Error("not a time");
  },
});

function records(over: Partial<HostingRecords> = {}): HostingRecords {
  return { hosts: [host("a")], workspaces: ["bad", "other"].map(workspace), locations: [], moves: [BROKEN], ...over };
}

test("of a workspace whose records make it throw nothing is decided, and of the others everything is", () => {
  const { plan, aside } = planAround(records(), FACTS);
  expect([...aside]).toEqual([["bad", expect.any(Error)]]);
  expect(plan.changes).toMatchObject([{ kind: "place", workspaceId: "other", hostId: "a" }]);
  expect(plan.moves).toEqual([]);
});

test("what it has is neither ended nor given up, though its host is down", () => {
  const held = { workspaceId: "bad", hostId: "b", epoch: 1, desired: "run", state: "running" } as const;
  const hosts = [host("a"), host("b"), host("c")];
  const liveness = new Map([...FACTS.liveness, ["b", "down"] as const, ["c", "down"] as const]);
  const { plan } = planAround(records({ hosts, locations: [held] }), { ...FACTS, liveness });
  expect(plan.changes.map(one => one.workspaceId)).toEqual(["other"]);
  expect(plan.lost).toEqual(["c"]);
});

test("nobody is set aside where nothing throws, and it throws where no workspace is to blame", () => {
  expect(planAround(records({ moves: [] }), FACTS).aside).toEqual(new Map());
  expect(() => planAround(records({ hosts: null as never }), FACTS)).toThrow(TypeError);
});
