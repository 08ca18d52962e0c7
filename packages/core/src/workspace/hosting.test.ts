import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { Host, HostedWorkspace, HostingWorld, WorkspaceLocation } from "./host.ts";
import { applyHosting, decideHosting } from "./hosting.ts";

const host = (id: string, over: Partial<Host> = {}): Host => ({
  ...{ id, nodeId: `node-${id}`, liveness: "ready", availability: "active", most: 100, lastPlaced: 0, seenAt: 0 },
  load: { connections: 0, messagesPerSecond: 0, memoryShare: 0 },
  ...over,
});
const workspace = (id: string, over: Partial<HostedWorkspace> = {}): HostedWorkspace => ({
  ...{ id, desired: "run", strategy: "least-loaded", epoch: 0, waiting: "" },
  ...over,
});
const location = (workspaceId: string, hostId: string, over: Partial<WorkspaceLocation> = {}): WorkspaceLocation => ({
  ...{ workspaceId, hostId, epoch: 1, desired: "run", state: "running" },
  ...over,
});
const world = (over: Partial<HostingWorld> = {}): HostingWorld => ({
  ...{ hosts: [], workspaces: [], locations: [], placements: 1 },
  ...over,
});

/** The changes in words. */
const told = (over: Partial<HostingWorld>): readonly string[] =>
  decideHosting(world(over)).map(one =>
    one.kind === "place"
      ? `${one.workspaceId} on ${one.hostId} as ${one.epoch}`
      : one.kind === "wait"
        ? `${one.workspaceId} waits: ${one.because}`
        : `${one.kind} ${one.workspaceId}@${one.epoch}: ${one.because}`,
  );

describe("a workspace without a host", () => {
  const hosts = [
    host("a", { load: { connections: 5_000, messagesPerSecond: 0, memoryShare: 0 } }),
    host("b", { load: { connections: 0, messagesPerSecond: 8_000, memoryShare: 0 } }),
  ];

  it("goes where connections and messages leave the most room", () => {
    expect(told({ hosts, workspaces: [workspace("w")] })).toEqual(["w on b as 1"]);
  });

  it("counts what was placed a moment ago and is not measured yet", () => {
    const idle = [host("a"), host("b")];
    const found = told({ hosts: idle, workspaces: ["w1", "w2", "w3", "w4"].map(id => workspace(id)) });
    expect(found).toEqual(["w1 on a as 1", "w2 on b as 1", "w3 on a as 1", "w4 on b as 1"]);
  });

  it("takes turns where it is to, also beyond one plan", () => {
    const workspaces = ["w1", "w2", "w3"].map(id => workspace(id, { strategy: "round-robin" }));
    const turned = [host("a", { lastPlaced: 7 }), host("b", { lastPlaced: 3 })];
    expect(told({ hosts: turned, workspaces, placements: 8 })).toEqual([
      "w1 on b as 1",
      "w2 on a as 1",
      "w3 on b as 1",
    ]);
  });

  const look = "see `docker service ps skep_workspace-host` and whether one is paused or cut off";

  it.each<[string, readonly Host[]]>([
    [`configuration error: no shared host has reported yet; deploy the service of the shared hosts, or ${look}`, []],
    [
      `at capacity: the only shared host has not answered since 1970-01-01T00:00:07.000Z; ${look}`,
      [host("a", { liveness: "suspect", seenAt: 7_000 })],
    ],
    [
      `at capacity: none of 2 shared hosts has answered since 1970-01-01T00:00:09.000Z; ${look}`,
      [host("a", { liveness: "down", seenAt: 9_000 }), host("b", { liveness: "suspect", seenAt: 7_000 })],
    ],
    [
      "at capacity: none of 2 hosts takes work, all are silent or drained",
      [host("a", { liveness: "suspect" }), host("b", { availability: "drain" })],
    ],
    ["at capacity: none of 1 hosts takes work, all are silent or drained", [host("a", { availability: "drain" })]],
    ["limits reached: all 1 hosts are full; add replicas of the shared hosts' service", [host("a", { most: 0 })]],
  ])("waits, and says why once: %s", (cause, some) => {
    const because = `ERROR: Insufficient resources to allocate container: ${cause}`;
    expect(told({ hosts: some, workspaces: [workspace("w")] })).toEqual([`w waits: ${because}`]);
    expect(told({ hosts: some, workspaces: [workspace("w", { waiting: because })] })).toEqual([]);
  });

  it("never fills a host beyond the most that it takes", () => {
    const workspaces = ["w1", "w2"].map(id => workspace(id));
    const full = [host("a", { most: 2 })];
    expect(told({ hosts: full, workspaces, locations: [location("w0", "a")] })).toContain("w1 on a as 1");
    expect(
      told({ hosts: full, workspaces: [workspace("w0"), ...workspaces], locations: [location("w0", "a")] })[1],
    ).toMatch(/^w2 waits/);
  });
});

describe("an owner", () => {
  const hosts = [host("a"), host("b")];
  const one = [workspace("w", { epoch: 1 })];

  it("stays", () => {
    expect(told({ hosts, workspaces: one, locations: [location("w", "a")] })).toEqual([]);
    const suspect = [host("a", { liveness: "suspect" }), host("b")];
    expect(told({ hosts: suspect, workspaces: one, locations: [location("w", "a")] })).toEqual([]);
  });

  it("whose host is down is followed at once, since that one reads nothing", () => {
    const down = [host("a", { liveness: "down" }), host("b")];
    const expected = ["forget w@1: host a is down", "w on b as 2"];
    expect(told({ hosts: down, workspaces: one, locations: [location("w", "a")] })).toEqual(expected);
    expect(told({ hosts: [host("b")], workspaces: one, locations: [location("w", "a")] })).toEqual(expected);
  });

  it("on a drained host lets go first, and only then the next one begins", () => {
    const drained = [host("a", { availability: "drain" }), host("b")];
    const stopping = location("w", "a", { desired: "stop" });
    expect(told({ hosts: drained, workspaces: one, locations: [location("w", "a")] })).toEqual([
      "stop w@1: host a is drained",
    ]);
    expect(told({ hosts: drained, workspaces: one, locations: [stopping] })).toEqual([]);
    expect(told({ hosts: drained, workspaces: one, locations: [{ ...stopping, state: "stopped" }] })).toEqual([
      "forget w@1: its host has let go of it",
      "w on b as 2",
    ]);
  });

  it("of what is not wanted any more ends, and nobody follows", () => {
    const gone = [workspace("w", { epoch: 1, desired: "stopped" })];
    for (const workspaces of [gone, []]) {
      expect(told({ hosts, workspaces, locations: [location("w", "a")] })).toEqual([
        "stop w@1: it is not wanted any more",
      ]);
      expect(told({ hosts, workspaces, locations: [location("w", "a", { state: "stopped" })] })).toEqual([
        "forget w@1: it is not wanted any more",
      ]);
    }
  });

  it("that is older than another one lets go", () => {
    const both = [location("w", "a"), location("w", "b", { epoch: 2 })];
    expect(told({ hosts, workspaces: [workspace("w", { epoch: 2 })], locations: both })).toEqual([
      "stop w@1: it was placed anew since",
    ]);
  });
});

const ids = ["a", "b", "c"];
const anyHost = fc.record({
  id: fc.constantFrom(...ids),
  nodeId: fc.constant("n"),
  liveness: fc.constantFrom("ready", "suspect", "down"),
  availability: fc.constantFrom("active", "drain"),
  load: fc.record({
    connections: fc.nat(20_000),
    messagesPerSecond: fc.nat(40_000),
    memoryShare: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  most: fc.nat(3),
  lastPlaced: fc.nat(9),
  seenAt: fc.constant(0),
});
const anyWorkspace = fc.record({
  id: fc.constantFrom("u", "v", "w", "x"),
  desired: fc.constantFrom("run", "stopped"),
  strategy: fc.constantFrom("least-loaded", "round-robin"),
  epoch: fc.constant(3),
  waiting: fc.constant(""),
});
const anyLocation = fc.record({
  workspaceId: fc.constantFrom("u", "v", "w", "x", "y"),
  hostId: fc.constantFrom(...ids, "gone"),
  epoch: fc.integer({ min: 1, max: 3 }),
  desired: fc.constantFrom("run", "stop"),
  state: fc.constantFrom("assigned", "running", "stopped"),
});
const anyWorld = fc.record({
  hosts: fc.uniqueArray(anyHost, { selector: one => one.id, maxLength: 3 }),
  workspaces: fc.uniqueArray(anyWorkspace, { selector: one => one.id, maxLength: 4 }),
  locations: fc.uniqueArray(anyLocation, { selector: one => `${one.workspaceId} ${one.epoch}`, maxLength: 8 }),
  placements: fc.constant(10),
}) as fc.Arbitrary<HostingWorld>;

test("A plan is its own end, whatever the world", () => {
  fc.assert(
    fc.property(anyWorld, begin => {
      expect(decideHosting(applyHosting(begin, decideHosting(begin)))).toEqual([]);
    }),
  );
});

test("Nobody is placed while another one may still read", () => {
  fc.assert(
    fc.property(anyWorld, begin => {
      const after = applyHosting(begin, decideHosting(begin));
      const readers = new Set(begin.hosts.filter(one => one.liveness !== "down").map(one => one.id));
      const before = begin.locations.filter(one => one.state !== "stopped" && readers.has(one.hostId));
      for (const placed of after.locations.filter(one => !begin.locations.some(old => sameAs(old, one)))) {
        expect(before.filter(one => one.workspaceId === placed.workspaceId)).toEqual([]);
        expect(placed.epoch).toBe(4);
        expect(begin.hosts.find(one => one.id === placed.hostId)).toMatchObject({
          liveness: "ready",
          availability: "active",
        });
      }
    }),
  );
});

test("No host gets more than it takes, and the order of the records does not matter", () => {
  fc.assert(
    fc.property(anyWorld, begin => {
      const plan = decideHosting(begin);
      const after = applyHosting(begin, plan);
      for (const one of begin.hosts) {
        const count = (locations: HostingWorld["locations"]) => locations.filter(each => each.hostId === one.id).length;
        expect(count(after.locations)).toBeLessThanOrEqual(Math.max(one.most, count(begin.locations)));
      }
      const turned: HostingWorld = {
        ...begin,
        ...{
          hosts: begin.hosts.toReversed(),
          workspaces: begin.workspaces.toReversed(),
          locations: begin.locations.toReversed(),
        },
      };
      expect(decideHosting(turned)).toEqual(plan);
    }),
  );
});

function sameAs(a: WorkspaceLocation, b: WorkspaceLocation): boolean {
  return a.workspaceId === b.workspaceId && a.epoch === b.epoch;
}
