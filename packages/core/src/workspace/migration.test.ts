import { describe, expect, test } from "vitest";
import {
  advanceMigration,
  isOver,
  NOBODY_READS_MS,
  ordersOf,
  SETTLE_MS,
  startMigration,
  STUCK_MS,
  VERIFY_MS,
  type Comparison,
  type Migration,
  type MigrationFacts,
  type MigrationStage,
} from "./migration.ts";

const NOTHING: MigrationFacts = {
  ...{ targetIsReady: false, copied: 0, isCopied: false, bothSinceEpoch: 0 },
  lacks: { source: undefined, target: undefined },
  ...{ mayRead: { source: true, target: false }, comparison: undefined, fault: "" },
};
const LACKS_NOTHING = { source: { count: 0, first: [] }, target: { count: 0, first: [] } };

function aMove(): Migration {
  return startMigration({ workspaceId: "w1", from: "shared", to: "standalone", epoch: 7 }, 1_000);
}

function compared(until: number, missing: Comparison["missing"] = LACKS_NOTHING, from = 0): Comparison {
  return { from, until, compared: 500, missing };
}

const lacking = { ...LACKS_NOTHING, target: { count: 2, first: ["m1", "m2"] } };

/** A move that was led to a stage by what leads there. */
function moveAt(stage: MigrationStage): Migration {
  let move = aMove();
  const ready = {
    ...NOTHING,
    targetIsReady: true,
    isCopied: true,
    copied: 100,
    bothSinceEpoch: 7,
    lacks: { source: 0, target: 0 },
  };
  for (let now = 2_000; move.stage !== stage; now += 200_000) {
    const mayRead = { source: move.stage !== "cut-over", target: move.stage === "verify" };
    const facts = { ...ready, mayRead, comparison: compared(now - SETTLE_MS) };
    const next = advanceMigration(move, facts, now);
    if (next.stage === move.stage || isOver(next)) throw new Error(`it stays in ${next.stage}: ${next.because}`);
    move = next;
  }
  return move;
}

const advance = (move: Migration, facts: Partial<MigrationFacts>, after = 0): Migration =>
  advanceMigration(move, { ...NOTHING, ...facts }, move.since + after);

describe("A move", () => {
  test("goes stage by stage, and tells who reads in each", () => {
    const readers = (["prepare", "copy", "follow", "both", "compare", "cut-over", "verify"] as const).map(stage => {
      const { reader, epoch, storesBoth } = ordersOf(moveAt(stage), 0);
      return [stage, reader, epoch, storesBoth];
    });
    expect(readers).toEqual([
      ["prepare", "source", 7, false],
      ["copy", "source", 7, false],
      ["follow", "source", 7, false],
      ["both", "source", 7, true],
      ["compare", "source", 7, true],
      ["cut-over", undefined, 7, true],
      ["verify", "target", 8, true],
    ]);
  });

  test("stays where it is, as the same object, until something is known", () => {
    for (const stage of ["prepare", "copy", "follow", "both", "compare", "cut-over", "verify"] as const) {
      const move = moveAt(stage);
      expect(advance(move, { copied: move.copied }, 1_000)).toBe(move);
    }
  });

  test("ends at its target once a comparison reaches over what the target read", () => {
    const move = moveAt("verify");
    const at = (until: number, from = move.startedAt) =>
      advance(
        move,
        { mayRead: { source: false, target: true }, comparison: compared(until, LACKS_NOTHING, from) },
        90_000,
      );
    expect(at(move.since + VERIFY_MS - 1).stage).toBe("verify");
    expect(at(move.since + VERIFY_MS, move.startedAt + 1).stage).toBe("verify");
    const done = at(move.since + VERIFY_MS);
    expect([done.stage, done.epoch, done.because]).toEqual([
      "done",
      8,
      "500 messages were compared, and none is missing",
    ]);
    expect(ordersOf(done, 0)).toMatchObject({ reader: "target", storesBoth: false, targetRuns: true });
    expect(advance(done, { fault: "too late" })).toBe(done);
  });

  test("compares everything before the cut-over, and never what is under way", () => {
    const move = moveAt("compare");
    expect(ordersOf(move, move.since).compare).toBeUndefined();
    const now = move.since + SETTLE_MS + 10;
    expect(ordersOf(move, now).compare).toEqual({ from: 0, until: now - SETTLE_MS });
    const at = (comparison: Comparison) => advance(move, { comparison }, SETTLE_MS + 10).stage;
    expect(at(compared(move.since - 1))).toBe("compare");
    expect(at(compared(move.since, LACKS_NOTHING, 1))).toBe("compare");
    expect(at(compared(move.since))).toBe("cut-over");
  });

  test("stores into both only by the word of the reader that there is now", () => {
    const move = moveAt("both");
    expect(advance(move, { bothSinceEpoch: 6, lacks: { source: 0, target: 0 } }).stage).toBe("both");
    expect(advance(move, { bothSinceEpoch: 7, lacks: { source: 0, target: 1 } }).stage).toBe("both");
    expect(advance(move, { bothSinceEpoch: 7, lacks: { source: 0, target: 0 } }).stage).toBe("compare");
  });

  test("lets the target read only once the source surely does not", () => {
    const move = moveAt("cut-over");
    expect(advance(move, { mayRead: { source: true, target: false } }, 29_000)).toBe(move);
    expect(advance(move, { mayRead: { source: false, target: false } }).stage).toBe("verify");
  });
});

describe("A move goes back by itself", () => {
  test("where a message is missing before the cut-over: the source reads on as if nothing had been", () => {
    const move = moveAt("compare");
    const back = advance(move, { comparison: compared(move.since, lacking) }, SETTLE_MS);
    expect(back).toMatchObject({ stage: "returned", epoch: 7 });
    expect(back.because).toBe("of 500 messages the target lacks 2, such as m1, m2");
    expect(ordersOf(back, 0)).toMatchObject({ reader: "source", storesBoth: false, targetRuns: false });
  });

  test("where one is missing after it: the target lets go first, then the source reads", () => {
    const move = moveAt("verify");
    const reads = { source: false, target: true };
    const back = advance(move, { mayRead: reads, comparison: compared(move.since + VERIFY_MS, lacking) }, 90_000);
    expect(back).toMatchObject({ stage: "back", epoch: 8 });
    expect(ordersOf(back, 0)).toMatchObject({ reader: undefined, storesBoth: true });
    expect(advance(back, { mayRead: reads }, STUCK_MS * 2)).toBe(back);
    const nobody = { source: false, target: false };
    expect(advance(back, { mayRead: nobody })).toBe(back);
    expect(advance(back, { mayRead: nobody, lacks: { source: 3, target: 2 } })).toBe(back);
    const left = advance(back, { mayRead: nobody, lacks: { source: 3, target: 2 } }, STUCK_MS);
    expect([left.stage, left.because]).toEqual([
      "returned",
      expect.stringContaining("3 messages are at the target alone"),
    ]);
    const returned = advance(back, { mayRead: nobody, lacks: { source: 0, target: 2 } });
    expect(returned).toMatchObject({ stage: "returned", epoch: 9 });
    expect(returned.because).toContain("the target lacks 2, such as m1, m2");
  });

  test("where both sides lack something, and says both", () => {
    const missing = { target: { count: 1, first: ["a"] }, source: { count: 1, first: ["b"] } };
    const move = moveAt("compare");
    expect(advance(move, { comparison: compared(move.since, missing) }, SETTLE_MS).because).toBe(
      "of 500 messages the target lacks 1, such as a; the source lacks 1, such as b",
    );
  });

  test("where something is broken, in every stage", () => {
    for (const stage of ["prepare", "copy", "follow", "both", "compare", "cut-over", "verify"] as const) {
      const back = advance(moveAt(stage), { fault: "the disk is full" });
      expect([back.stage, back.because]).toEqual([stage === "verify" ? "back" : "returned", "the disk is full"]);
    }
  });

  test("where it gets no further, but not while the copy grows", () => {
    for (const stage of ["prepare", "both", "compare"] as const)
      expect(advance(moveAt(stage), {}, STUCK_MS)).toMatchObject({
        stage: "returned",
        because: `${stage} got no further for 600 s`,
      });
    const copying = moveAt("copy");
    const grown = advance(copying, { copied: 200 }, STUCK_MS - 1);
    expect(advance(grown, { copied: 200 }, STUCK_MS + 1).stage).toBe("copy");
    expect(advance(grown, { copied: 200 }, STUCK_MS * 2).stage).toBe("returned");
  });

  test("where the source does not let go: it soon reads again, by a new epoch", () => {
    const back = advance(moveAt("cut-over"), {}, NOBODY_READS_MS);
    expect(back).toMatchObject({ stage: "returned", epoch: 8 });
  });
});
