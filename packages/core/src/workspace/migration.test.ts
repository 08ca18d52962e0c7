import { describe, expect, test } from "vitest";
import { advanceMigration, isOver, MIGRATION_TIMES, ordersOf, startMigration } from "./migration.ts";
import type { Comparison, Migration, MigrationFacts, MigrationStage } from "./migration-state.ts";

const { stuckMs, nobodyReadsMs, lostMs, verifyMs, settleMs, quietMs } = MIGRATION_TIMES;
const BOTH_READY = { source: true, target: true };
const NOTHING: MigrationFacts = {
  ...{ isReady: BOTH_READY, targetIsSubscribed: false, copied: 0, isCopied: false, isBoth: false },
  lacks: { source: undefined, target: undefined },
  ...{ mayRead: { source: true, target: false }, comparison: undefined, fault: "" },
  ...{ gatesBehind: undefined, quietMs: undefined },
};
const LACKS_NOTHING = { source: { count: 0, first: [] }, target: { count: 0, first: [] } };

function aMove(): Migration {
  return startMigration({ workspaceId: "w1", from: "shared", to: "standalone" }, 1_000);
}

const compared = (missing: Comparison["missing"] = LACKS_NOTHING): Comparison => ({
  ...{ from: 0, until: 5_000, compared: 500, missing },
});
const lacking = { ...LACKS_NOTHING, target: { count: 2, first: ["m1", "m2"] } };
/** What leads on, but for who may read. */
const ALL: MigrationFacts = {
  ...NOTHING,
  ...{ targetIsSubscribed: true, copied: 100, isCopied: true, isBoth: true, lacks: { source: 0, target: 0 } },
  ...{ gatesBehind: [], quietMs, comparison: compared() },
};

const THERE = ["prepare", "copy", "follow", "both", "compare", "switch", "drain", "cut-over", "verify"] as const;
const HOME = ["halt", "withdraw", "empty", "back"] as const;

const advance = (move: Migration, facts: Partial<MigrationFacts>, after = 0): Migration =>
  advanceMigration(move, { ...NOTHING, ...facts }, move.since + after);

function mayReadIn(stage: MigrationStage): MigrationFacts["mayRead"] {
  return {
    source: !["cut-over", "verify", ...HOME].includes(stage),
    target: ["verify", "withdraw", "empty"].includes(stage),
  };
}

/** A move that was led to a stage by what leads there. */
function moveAt(stage: MigrationStage): Migration {
  let move = aMove();
  for (let now = 2_000; move.stage !== stage; now += 7_000) {
    const wantsBack = move.stage === "drain" && (HOME as readonly string[]).includes(stage);
    const facts = { ...ALL, mayRead: mayReadIn(move.stage), fault: wantsBack ? "the disk is full" : "" };
    const next = advanceMigration(move, facts, now);
    if (next.stage === move.stage || isOver(next)) throw new Error(`it stays in ${next.stage}: ${next.because}`);
    move = next;
  }
  return move;
}

/** A move whose target could not read what is left at its broker. */
const movedApart = (): Migration => {
  const reads = { source: false, target: false };
  const apart = advance(moveAt("withdraw"), { mayRead: reads, gatesBehind: ["g1"] }, nobodyReadsMs);
  expect(apart.stage).toBe("apart");
  return apart;
};

describe("A move", () => {
  test("goes stage by stage, and tells in each who reads, where devices send to, and where it is stored", () => {
    const told = [...THERE, "done" as const].map(stage => {
      const { reader, standby, devicesAt, copyTo, storesBoth } = ordersOf(moveAtOrDone(stage));
      return [stage, reader ?? "nobody", standby.join(" "), devicesAt, copyTo ?? "", storesBoth].join(", ");
    });
    expect(told).toEqual([
      "prepare, source, target, source, , false",
      "copy, source, target, source, target, false",
      "follow, source, target, source, target, false",
      "both, source, target, source, target, true",
      "compare, source, target, source, , true",
      "switch, source, target, target, , true",
      "drain, source, target, target, , true",
      "cut-over, nobody, source target, target, , false",
      "verify, target, source, target, , true",
      "done, target, , target, , false",
    ]);
  });

  test("goes back in stages, too", () => {
    const told = HOME.map(stage => {
      const { reader, standby, devicesAt, copyTo, storesBoth } = ordersOf(moveAt(stage));
      return [stage, reader ?? "nobody", standby.join(" "), devicesAt, copyTo ?? "", storesBoth].join(", ");
    });
    expect(told).toEqual([
      "halt, nobody, source target, source, , false",
      "withdraw, target, source, source, , true",
      "empty, target, source, source, , true",
      "back, nobody, source target, source, source, false",
    ]);
    expect(ordersOf(movedApart())).toMatchObject({ reader: "source", standby: ["target"], devicesAt: "source" });
  });

  test("counts its steps, and stays as the same object where nothing is known", () => {
    expect(THERE.map(stage => moveAt(stage).step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const stage of THERE) {
      const move = moveAt(stage);
      const mayRead = { source: true, target: false };
      expect(advance(move, { copied: move.copied, mayRead }, 1_000)).toBe(move);
    }
  });

  test("begins to copy once the target is ready and its session keeps what devices send", () => {
    const move = moveAt("prepare");
    expect(advance(move, { targetIsSubscribed: true, isReady: { source: true, target: false } }).stage).toBe("prepare");
    expect(advance(move, { targetIsSubscribed: false }).stage).toBe("prepare");
    expect(advance(move, { targetIsSubscribed: true }).stage).toBe("copy");
  });

  test("stores into both before it compares, and lacks nothing", () => {
    const move = moveAt("both");
    expect(advance(move, { isBoth: false, lacks: { source: 0, target: 0 } }).stage).toBe("both");
    expect(advance(move, { isBoth: true, lacks: { source: 0, target: 1 } }).stage).toBe("both");
    expect(advance(move, { isBoth: true, lacks: { source: 0, target: 0 } }).stage).toBe("compare");
  });

  test("compares all before devices are sent elsewhere, and what came since before it is done", () => {
    expect(ordersOf(moveAt("compare")).compare).toEqual({ from: 0, afterMs: settleMs, settleMs });
    const begun = { ...moveAt("verify"), startedAt: 10_000_000 };
    expect(ordersOf(begun).compare).toEqual({ from: 9_700_000, afterMs: settleMs + verifyMs, settleMs });
    expect(ordersOf(moveAt("both")).compare).toBeUndefined();
  });

  test("sends devices elsewhere only where both store, and the target's session is there", () => {
    const move = moveAt("compare");
    const equal = { comparison: compared(), isBoth: true, targetIsSubscribed: true };
    expect(advance(move, equal).stage).toBe("switch");
    expect(advance(move, { ...equal, isBoth: false }).stage).toBe("compare");
    expect(advance(move, { ...equal, targetIsSubscribed: false }).stage).toBe("compare");
    expect(advance(move, { ...equal, comparison: undefined }).stage).toBe("compare");
  });

  test("waits for every gate before it drains the source, and names who is behind", () => {
    const move = moveAt("switch");
    expect(advance(move, { gatesBehind: ["gate-1"] }).stage).toBe("switch");
    expect(advance(move, { gatesBehind: undefined }).stage).toBe("switch");
    expect(advance(move, { gatesBehind: [] }).stage).toBe("drain");
  });

  test("is cut over once nothing is left at the source's broker", () => {
    const move = moveAt("drain");
    const dry = { quietMs, gatesBehind: [], targetIsSubscribed: true };
    expect(advance(move, { ...dry, quietMs: quietMs - 1 }).stage).toBe("drain");
    expect(advance(move, { ...dry, quietMs: undefined }).stage).toBe("drain");
    expect(advance(move, { ...dry, gatesBehind: ["gate-1"] }).stage).toBe("drain");
    expect(advance(move, { ...dry, targetIsSubscribed: false }).stage).toBe("drain");
    expect(advance(move, dry).stage).toBe("cut-over");
  });

  test("lets the target read only once the source surely does not", () => {
    const move = moveAt("cut-over");
    expect(advance(move, { mayRead: { source: true, target: false } }, 29_000)).toBe(move);
    expect(advance(move, { mayRead: { source: false, target: false } }).stage).toBe("verify");
  });

  test("ends at its target once all that came since was compared", () => {
    const move = moveAt("verify");
    const done = advance(move, { comparison: compared(), isBoth: true });
    expect([done.stage, done.because]).toEqual(["done", "500 messages were compared, and none is missing"]);
    expect(advance(move, { comparison: compared(), isBoth: false }).stage).toBe("verify");
    expect(advance(done, { fault: "too late" })).toBe(done);
  });

  test("ends at its target, which has everything, where the source is lost for good", () => {
    const lost = advance(moveAt("verify"), { isReady: { source: false, target: true } });
    const again = (after: number) => advance(lost, { isReady: { source: false, target: true } }, after);
    expect(again(lostMs - 1).stage).toBe("verify");
    expect(again(lostMs)).toMatchObject({
      stage: "done",
      because: expect.stringContaining("source is away") as string,
    });
  });
});

function moveAtOrDone(stage: MigrationStage): Migration {
  return stage === "done" ? advance(moveAt("verify"), { comparison: compared(), isBoth: true }) : moveAt(stage);
}

describe("A move goes back by itself", () => {
  test("where a message is missing before the cut-over: the source reads on as if nothing had been", () => {
    const back = advance(moveAt("compare"), { ...ALL, comparison: compared(lacking) });
    expect([back.stage, back.because]).toEqual(["returned", "of 500 messages the target lacks 2, such as m1, m2"]);
    expect(ordersOf(back)).toMatchObject({ reader: "source", standby: [], storesBoth: false });
  });

  test("where one is missing after it: the target reads out its broker and lets go, then the source reads", () => {
    const reads = { source: false, target: true };
    let move = advance(moveAt("verify"), { ...ALL, mayRead: reads, comparison: compared(lacking) });
    expect(move.stage).toBe("withdraw");
    move = advance(move, { mayRead: reads, gatesBehind: [] });
    expect(move.stage).toBe("empty");
    expect(advance(move, { mayRead: reads, gatesBehind: [], quietMs: quietMs - 1 })).toBe(move);
    expect(advance(move, { mayRead: reads, gatesBehind: ["g1"], quietMs })).toBe(move);
    move = advance(move, { mayRead: reads, gatesBehind: [], quietMs });
    expect(move.stage).toBe("back");
    const { copied } = move;
    expect(advance(move, { copied, mayRead: reads, lacks: { source: 0, target: 0 } }, stuckMs * 2)).toBe(move);
    const nobody = { source: false, target: false };
    expect(advance(move, { copied, mayRead: nobody, lacks: { source: 3, target: 2 } })).toBe(move);
    const left = advance(move, { copied, mayRead: nobody, lacks: { source: 3, target: 2 } }, nobodyReadsMs);
    expect(left).toMatchObject({
      stage: "returned",
      because: expect.stringContaining("3 messages are at the target") as string,
    });
    const returned = advance(move, { mayRead: nobody, lacks: { source: 0, target: 2 } });
    expect(returned.because).toBe("the source reads again: of 500 messages the target lacks 2, such as m1, m2");
  });

  test("and not where only the source lacks something, which the target has from an earlier move", () => {
    const missing = { target: { count: 0, first: [] }, source: { count: 1, first: ["b"] } };
    const same = { comparison: compared(missing), isBoth: true, targetIsSubscribed: true };
    expect(advance(moveAt("compare"), same).stage).toBe("switch");
    expect(advance(moveAt("verify"), same).stage).toBe("done");
  });

  test("where something is broken or somebody wants it back, in every stage", () => {
    for (const stage of THERE) {
      const next = ["switch", "drain", "cut-over"].includes(stage)
        ? "halt"
        : stage === "verify"
          ? "withdraw"
          : "returned";
      const broken = advance(moveAt(stage), { ...ALL, mayRead: mayReadIn(stage), fault: "the disk is full" });
      expect([broken.stage, broken.because]).toEqual([next, "the disk is full"]);
      const unwanted = advance({ ...moveAt(stage), abort: "ann wants it back" }, {});
      expect([unwanted.stage, unwanted.because]).toEqual([next, "ann wants it back"]);
    }
  });

  test("where it gets no further, but not while the copy grows", () => {
    for (const stage of ["prepare", "both", "compare", "switch", "drain"] as const)
      expect(advance(moveAt(stage), {}, stuckMs).because).toBe(`${stage} got no further for 600 s`);
    const copying = moveAt("copy");
    const grown = advance(copying, { copied: 200 }, stuckMs - 1);
    expect(advance(grown, { copied: 200 }, stuckMs + 1).stage).toBe("copy");
    expect(advance(grown, { copied: 200 }, stuckMs * 2).stage).toBe("returned");
    expect(advance(moveAt("verify"), {}, stuckMs + verifyMs).stage).toBe("withdraw");
  });

  test("where the source does not let go, which it waits for before anybody else reads", () => {
    const halted = advance(moveAt("cut-over"), {}, nobodyReadsMs);
    expect(halted.stage).toBe("halt");
    expect(advance(halted, {}, stuckMs * 2)).toBe(halted);
    expect(advance(halted, { mayRead: { source: false, target: false } }).stage).toBe("withdraw");
  });

  test("where the target is away that every message is to be stored at, and not for a moment only", () => {
    const away = { isReady: { source: true, target: false } };
    for (const stage of ["both", "compare", "switch", "drain"] as const) {
      const lost = advance(moveAt(stage), away);
      expect(lost).toMatchObject({ stage, lostAt: lost.since });
      expect(advance(lost, NOTHING, lostMs).lostAt).toBeUndefined();
      expect(advance(lost, away, lostMs - 1).stage).toBe(stage);
      expect(advance(lost, away, lostMs).because).toBe("the target has been away for 20 s");
    }
    const reader = advance(moveAt("verify"), { isReady: { source: true, target: false } });
    expect(advance(reader, away, lostMs).stage).toBe("withdraw");
    expect(advance(moveAt("follow"), away).lostAt).toBeUndefined();
  });

  test("in parts where the target cannot read: the source reads, until the target is there again", () => {
    const apart = movedApart();
    expect(advance(apart, { isReady: { source: true, target: false } }, stuckMs * 9)).toBe(apart);
    expect(advance(apart, {}).stage).toBe("halt");
    const givenUp = advance({ ...apart, abort: "ann wants it back" }, { isReady: { source: true, target: false } });
    expect(givenUp.because).toBe("ann wants it back; what waits at the target's broker was not read");
    const wanted = { ...moveAt("withdraw"), abort: "ann wants it back" };
    expect(advance(wanted, { mayRead: { source: false, target: false } }, nobodyReadsMs)).toMatchObject({
      stage: "apart",
      abort: "",
    });
  });

  test("and gives up what the target's broker does not give, after a while", () => {
    for (const stage of ["withdraw", "empty"] as const) {
      const given = advance(moveAt(stage), { mayRead: { source: false, target: true } }, stuckMs);
      expect(given.stage).toBe("back");
      expect(given.because).toContain("what may still wait at the target's broker was not read");
    }
  });
});
