import { describe, expect, it } from "vitest";
import type { HostingPlan, HostingRecords, RecordedHost } from "./hosting-plan.ts";
import { applyHosting } from "./hosting.ts";
import { MIGRATION_TIMES, ordersOf, startMigration } from "./migration.ts";
import type { Migration, MigrationStage } from "./migration-state.ts";
import { factsOf, moveOrder, needsOwn, peerOf, wantedHalves, type MoveFacts, type MovingLocation } from "./move.ts";
import { planHosting, type HostLiveness } from "./plan-hosting.ts";
import { planMoves, type GatesBehind } from "./plan-moves.ts";

const host = (id: string, workspaceId?: string): RecordedHost => ({
  ...{ id, nodeId: id, workspaceId, availability: "active", most: 10, lastPlaced: 0, seenAt: 0, renewals: 1 },
  load: { connections: 0, messagesPerSecond: 0, memoryShare: 0 },
});
const HOSTS = [host("a"), host("own", "w")];
const ALIVE: HostLiveness = new Map(HOSTS.map(one => [one.id, "ready"]));
const said = (step: number, over: Partial<MoveFacts> = {}): MoveFacts => ({
  ...{ step, isReady: true, isSubscribed: true, copied: 0, total: 0, isCopied: false, isBoth: false },
  ...{ fault: "", waiting: "", ...over },
});
const all = (step: number): MoveFacts =>
  said(step, {
    ...{ isCopied: true, isBoth: true, lacking: 0, quietMs: MIGRATION_TIMES.quietMs },
    comparison: {
      from: 0,
      until: 1,
      compared: 3,
      missing: { source: { count: 0, first: [] }, target: { count: 0, first: [] } },
    },
  });
const NO_GATES: GatesBehind = new Map([["w", []]]);

function recorded(move: Migration | undefined, locations: readonly MovingLocation[] = []): HostingRecords {
  const workspace = {
    id: "w",
    tenantId: "t",
    mode: "shared",
    strategy: "least-loaded",
    epoch: 5,
    waiting: "",
  } as const;
  return {
    ...{ hosts: HOSTS, workspaces: [{ ...workspace, desired: "run" }], locations },
    moves: move === undefined ? [] : [move],
  };
}
const at = (hostId: string, epoch: number, over: Partial<MovingLocation> = {}): MovingLocation => ({
  ...{ workspaceId: "w", hostId, epoch, desired: "run", state: "running", ...over },
});
const words = ({ changes }: HostingPlan): readonly string[] =>
  changes.map(one =>
    one.kind === "place"
      ? `${one.role ?? "reader"} on ${one.hostId}`
      : `${one.kind} ${one.kind === "wait" ? "" : one.epoch}`,
  );
const moveIn = (stage: MigrationStage, step = 4): Migration => ({
  ...startMigration({ workspaceId: "w", from: "shared", to: "standalone" }, 0),
  ...{ stage, step },
});

/** A fleet whose hosts do at once as they are told, look by look. */
function fleet() {
  let records = recorded(startMigration({ workspaceId: "w", from: "shared", to: "standalone" }, 0));
  let now = 0;
  const stages: string[] = [];
  const readers: string[] = [];

  /** Hosts follow: what is to stop has stopped, what is to run says whatever leads on. */
  function follow(): void {
    const [move] = records.moves;
    const locations = records.locations.map((one): MovingLocation => {
      const { move: _, ...rest } = one;
      if (one.desired === "stop") return { ...rest, state: "stopped" };
      return { ...rest, state: "running", ...(move === undefined ? {} : { move: all(move.step) }) };
    });
    records = { ...records, locations };
    const reading = locations.filter(one => one.state === "running" && one.role === undefined).map(one => one.hostId);
    expect(reading.length).toBeLessThan(2);
    const reader = reading[0] ?? "nobody";
    if (reader !== readers.at(-1)) readers.push(reader);
  }

  function look(): HostingPlan {
    now += 1_000;
    const moves = planMoves(records, ALIVE, NO_GATES, now);
    const plan = planHosting(records, ALIVE, moves);
    const { locations, workspaces } = applyHosting(
      { ...records, hosts: records.hosts as never, placements: 1, workspaces: records.workspaces as never },
      plan.changes,
    );
    const next = moves[0]?.move ?? records.moves[0];
    const mode = next?.stage === "done" ? next.to : undefined;
    records = {
      ...{ hosts: records.hosts, locations },
      workspaces: workspaces.map(one => ({
        ...(one as never as HostingRecords["workspaces"][number]),
        ...(mode === undefined ? {} : { mode }),
      })),
      moves: next === undefined || next.stage === "done" || next.stage === "returned" ? [] : [next],
    };
    if (next !== undefined && stages.at(-1) !== next.stage) stages.push(next.stage);
    return plan;
  }

  return {
    look,
    follow,
    stages,
    readers,
    records: () => records,
    stop: () =>
      (records = { ...records, workspaces: records.workspaces.map(one => ({ ...one, desired: "stopped" as const })) }),
    abort: () =>
      (records = {
        ...records,
        moves: records.moves.map(one => ({ ...one, step: one.step + 1, abort: "it is unwanted" })),
      }),
  };
}

describe("a fleet in which a workspace moves", () => {
  it("has one reader at most, the target in the end, and nothing of the source", () => {
    const one = fleet();
    for (let round = 0; round < 30; round++) {
      one.look();
      one.follow();
    }
    expect(one.stages).toEqual([
      "prepare",
      "copy",
      "follow",
      "both",
      "compare",
      "switch",
      "drain",
      "cut-over",
      "verify",
      "done",
    ]);
    expect(one.readers).toEqual(["a", "nobody", "own"]);
    expect(one.records().locations.map(row => [row.hostId, row.role])).toEqual([["own", undefined]]);
    expect(words(one.look())).toEqual([]);
  });

  it("has the source read again where somebody wants it back after the cut-over", () => {
    const one = fleet();
    for (let round = 0; round < 30 && one.stages.at(-1) !== "verify"; round++) {
      one.look();
      one.follow();
    }
    one.follow();
    one.abort();
    for (let round = 0; round < 20; round++) {
      one.look();
      one.follow();
    }
    expect(one.stages.slice(-5)).toEqual(["verify", "withdraw", "empty", "back", "returned"]);
    expect(one.readers).toEqual(["a", "nobody", "own", "nobody", "a"]);
    expect(one.records().locations.map(row => row.hostId)).toEqual(["a"]);
  });
});

describe("a fleet whose workspace is stopped while it moves", () => {
  it.each(["copy", "switch", "verify"])("has it go back from %s, and stop then", stage => {
    const one = fleet();
    for (let round = 0; round < 30 && one.stages.at(-1) !== stage; round++) {
      one.look();
      one.follow();
    }
    one.follow();
    one.stop();
    for (let round = 0; round < 20; round++) {
      one.look();
      one.follow();
    }
    expect(one.stages.at(-1)).toBe("returned");
    expect(one.records().locations).toEqual([]);
    expect(words(one.look())).toEqual([]);
  });
});

describe("the halves of a move", () => {
  it("are placed one at a time, the reader first, each at its own kind of host", () => {
    expect(words(planHosting(recorded(moveIn("copy")), ALIVE))).toEqual(["reader on a"]);
    expect(words(planHosting(recorded(moveIn("copy"), [at("a", 5)]), ALIVE))).toEqual(["standby on own"]);
    expect(
      words(planHosting(recorded(moveIn("copy"), [at("a", 5), at("own", 6, { role: "standby" })]), ALIVE)),
    ).toEqual([]);
  });

  it("say nothing of a standby that no host can have: the move does", () => {
    const none = { ...recorded(moveIn("copy"), [at("a", 5)]), hosts: [host("a")] };
    expect(planHosting(none, ALIVE).changes).toEqual([]);
  });

  it("change places only once the one that read has let go", () => {
    const halves = [at("a", 5), at("own", 6, { role: "standby" })];
    expect(words(planHosting(recorded(moveIn("cut-over"), halves), ALIVE))).toEqual(["stop 5"]);
    expect(words(planHosting(recorded(moveIn("verify"), halves), ALIVE))).toEqual(["stop 5", "forget 6"]);
    const stopped = [at("a", 5, { desired: "stop", state: "stopped" }), halves[1]!];
    expect(words(planHosting(recorded(moveIn("verify"), stopped), ALIVE))).toEqual([
      "forget 5",
      "forget 6",
      "reader on own",
    ]);
    const silent = new Map([...ALIVE, ["a", "down" as const]]);
    expect(words(planHosting(recorded(moveIn("verify"), halves), silent))).toEqual([
      "forget 5",
      "forget 6",
      "reader on own",
    ]);
  });

  const wished = (desired: "stopped" | "deleted", stage: MigrationStage): HostingRecords => {
    const halves = [at("a", 5), at("own", 6, { role: "standby", move: all(4) })];
    const records = recorded(moveIn(stage), halves);
    return { ...records, workspaces: records.workspaces.map(one => ({ ...one, desired })) };
  };

  it("run on where the workspace is to stop while it moves, until the move is back", () => {
    const stopped = wished("stopped", "drain");
    expect(words(planHosting(stopped, ALIVE))).toEqual([]);
    const [change] = planMoves(stopped, ALIVE, NO_GATES, 1);
    expect(change?.move).toMatchObject({ stage: "halt", because: "the workspace is to stop" });
    const waits = { ...stopped, moves: [{ ...moveIn("halt"), abort: "" }] };
    expect(planMoves(waits, ALIVE, NO_GATES, 1)).toEqual([]);
  });

  it("all end where it is to stop and cannot go back at present, and the move waits", () => {
    const apart = wished("stopped", "apart");
    expect(words(planHosting(apart, ALIVE))).toEqual(["stop 5", "forget 6"]);
    expect(planMoves(apart, ALIVE, NO_GATES, 1)).toEqual([]);
  });

  it("all end where it is deleted, and the move with it", () => {
    const deleted = wished("deleted", "copy");
    expect(words(planHosting(deleted, ALIVE))).toEqual(["stop 5", "forget 6"]);
    expect(planMoves(deleted, ALIVE, NO_GATES, 1)).toEqual([]);
  });

  it("are wanted by the mode alone where nothing moves any more", () => {
    expect(wantedHalves("shared", undefined)).toEqual([{ mode: "shared", role: "reader" }]);
    expect(wantedHalves("standalone", moveIn("done"))).toEqual([{ mode: "standalone", role: "reader" }]);
    expect(wantedHalves("shared", moveIn("back")).map(one => `${one.role} ${one.mode}`)).toEqual([
      "standby shared",
      "standby standalone",
    ]);
    expect([
      needsOwn("shared", undefined),
      needsOwn("shared", moveIn("copy")),
      needsOwn("shared", moveIn("returned")),
    ]).toEqual([false, true, false]);
    expect(needsOwn("standalone", moveIn("returned"))).toBe(true);
  });
});

describe("what is known of a move", () => {
  const world = (
    locations: readonly MovingLocation[],
    liveness = ALIVE,
    gatesBehind: readonly string[] | undefined = [],
  ) => ({
    ...{ locations, gatesBehind },
    hosts: new Map(HOSTS.map(one => [one.id, { workspaceId: one.workspaceId, liveness: liveness.get(one.id)! }])),
  });
  const both = (step: number) => [at("a", 5, { move: all(step) }), at("own", 6, { role: "standby", move: all(step) })];

  it("is what the hosts say of this step, and of no other one", () => {
    const move = moveIn("both");
    expect(factsOf(move, world(both(4)))).toMatchObject({ isBoth: true, isCopied: true, lacks: { target: 0 } });
    const late = factsOf(move, world(both(3)));
    expect(late).toMatchObject({ isBoth: false, isCopied: false, lacks: { target: undefined }, quietMs: undefined });
    expect(late).toMatchObject({ comparison: undefined, isReady: { source: true, target: true } });
    expect(factsOf(move, world([])).isReady).toEqual({ source: false, target: false });
  });

  it("is nothing of a host that is down, or of a half that has not begun", () => {
    const move = moveIn("both");
    const down = new Map([...ALIVE, ["own", "down" as const]]);
    expect(factsOf(move, world(both(4), down)).isReady).toEqual({ source: true, target: false });
    const begins = [at("a", 5), at("own", 6, { role: "standby", state: "assigned", move: all(4) })];
    expect(factsOf(move, world(begins))).toMatchObject({ isReady: { target: false }, targetIsSubscribed: false });
  });

  it("says that a side may read until it has let go, whatever is believed of its host", () => {
    const move = moveIn("cut-over");
    expect(factsOf(move, world(both(4))).mayRead).toEqual({ source: true, target: false });
    const down = new Map([...ALIVE, ["a", "down" as const]]);
    expect(factsOf(move, world(both(4), down)).mayRead.source).toBe(true);
    expect(factsOf(move, world([at("a", 5, { state: "stopped" })])).mayRead.source).toBe(false);
  });

  it("is what the one that copies says, and on the way back that is the target", () => {
    const halves = [
      at("a", 8, { role: "standby", move: said(4, { lacking: 7 }) }),
      at("own", 9, { role: "standby", move: said(4, { lacking: 3 }) }),
    ];
    expect(factsOf(moveIn("back"), world(halves)).lacks.source).toBe(3);
  });

  it("is a fault of either half", () => {
    const broken = [at("a", 5), at("own", 6, { role: "standby", move: said(4, { fault: "the disk is full" }) })];
    expect(factsOf(moveIn("copy"), world(broken)).fault).toBe("the disk is full");
    expect(factsOf(moveIn("both"), world([], ALIVE, ["g"])).gatesBehind).toEqual(["g"]);
  });
});

describe("what a host is told of a move", () => {
  it("is its half of it", () => {
    expect(moveOrder(undefined, "shared", "")).toBeUndefined();
    expect(moveOrder(moveIn("returned"), "shared", "")).toBeUndefined();
    expect(moveOrder(moveIn("both"), "shared", "p:1")).toEqual({
      ...{ stage: "both", step: 4, side: "source", peer: "p:1", copySince: 0, storesBoth: true },
    });
    expect(moveOrder(moveIn("both"), "standalone", "")).toEqual({
      ...{ stage: "both", step: 4, side: "target", peer: "", storesBoth: false },
    });
    const back = { ...moveIn("back"), startedAt: 400_000 };
    expect(moveOrder(back, "standalone", "")).toMatchObject({ side: "target", copySince: 100_000, storesBoth: false });
    expect(moveOrder(back, "shared", "")).not.toHaveProperty("copySince");
  });

  it("is to compare where it reads", () => {
    const { compare } = ordersOf(moveIn("verify"));
    expect(moveOrder(moveIn("verify"), "standalone", "")?.compare).toEqual(compare);
    expect(moveOrder(moveIn("verify"), "shared", "")?.compare).toBeUndefined();
  });

  it("names the other half where that is reached", () => {
    expect([peerOf({ address: "h", port: 1 }), peerOf({ address: "fd00::1", port: 1 })]).toEqual([
      "h:1",
      "[fd00::1]:1",
    ]);
    expect([
      peerOf(null),
      peerOf(undefined),
      peerOf({ address: "", port: 1 }),
      peerOf({ address: "h", port: 0 }),
    ]).toEqual(["", "", "", ""]);
  });
});
