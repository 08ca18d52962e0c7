import fc from "fast-check";
import { expect, test } from "vitest";
import {
  advanceMigration,
  isOver,
  ordersOf,
  startMigration,
  type Comparison,
  type Migration,
  type MigrationFacts,
  type MigrationOrders,
  type Side,
} from "./migration.ts";

const SIDES = ["source", "target"] as const;

/** A host that does as it was told last, which may be long ago. */
interface ModelHost {
  told: MigrationOrders | undefined;
  readonly stored: Set<string>;
  /** Read, and not stored yet. */
  underWay: string | undefined;
}

const EVENTS = [
  "tell source",
  "tell target",
  "read source",
  "read target",
  "store source",
  "store target",
  "copy",
  "look",
  "look",
] as const;
type Event = (typeof EVENTS)[number];

/** Both sides, the brokers' messages, and the move, on a clock of their own. */
function aWorld(loses: number) {
  let now = 1_000_000;
  let serial = 0;
  let move: Migration = startMigration({ workspaceId: "w", from: "shared", to: "standalone", epoch: 1 }, now);
  const sides: Record<Side, ModelHost> = {
    source: { told: ordersOf(move, now), stored: new Set(["old1", "old2"]), underWay: undefined },
    target: { told: undefined, stored: new Set(), underWay: undefined },
  };
  const lost = `m${loses}`;
  const acknowledged = new Set<string>();
  const isReading = (side: Side): boolean => sides[side].told?.reader === side || sides[side].underWay !== undefined;

  function read(side: Side): void {
    const host = sides[side];
    if (host.told?.reader !== side || host.underWay !== undefined) return;
    expect(SIDES.filter(isReading), "two sides read").toEqual([side]);
    host.underWay = `m${serial++}`;
  }

  function store(side: Side): void {
    const host = sides[side];
    const key = host.underWay;
    if (key === undefined) return;
    host.stored.add(key);
    const other = side === "source" ? "target" : "source";
    // A bug that the comparison has to find: the other one misses it.
    if (host.told?.storesBoth === true && key !== lost) sides[other].stored.add(key);
    host.underWay = undefined;
    acknowledged.add(key);
  }

  const lacks = (side: Side, other: Side): string[] =>
    [...sides[other].stored].filter(key => !sides[side].stored.has(key));

  function copy(): void {
    const to = ordersOf(move, now).copyTo;
    if (to === undefined) return;
    const from = to === "source" ? "target" : "source";
    // What is lost on the way to the target is not copied there either.
    for (const key of lacks(to, from)) if (to === "source" || key !== lost) sides[to].stored.add(key);
  }

  function facts(): MigrationFacts {
    const window = ordersOf(move, now).compare;
    const missing = { target: lacks("target", "source"), source: lacks("source", "target") };
    const told = (list: string[]) => ({ count: list.length, first: list.slice(0, 3) });
    const comparison: Comparison | undefined = window && {
      ...window,
      compared: serial,
      missing: { source: told(missing.source), target: told(missing.target) },
    };
    // What the loser misses is not known to be missing: only the comparison finds it.
    const behind = missing.target.filter(key => key !== lost).length;
    const bothSinceEpoch = sides.source.told?.storesBoth === true ? sides.source.told.epoch : 0;
    return {
      ...{ targetIsReady: true, copied: sides.target.stored.size, isCopied: behind < 5, bothSinceEpoch },
      lacks: { source: missing.source.length, target: behind },
      ...{ mayRead: { source: isReading("source"), target: isReading("target") }, comparison, fault: "" },
    };
  }

  function happen(event: Event, ms: number): void {
    now += ms;
    const [what, side] = event.split(" ") as [string, Side];
    if (what === "tell") sides[side].told = ordersOf(move, now);
    else if (what === "read") read(side);
    else if (what === "store") store(side);
    else if (what === "copy") copy();
    else move = advanceMigration(move, facts(), now);
  }

  return { happen, sides, acknowledged, move: () => move };
}

const steps = fc.array(fc.tuple(fc.constantFrom(...EVENTS), fc.integer({ min: 0, max: 20_000 })), {
  minLength: 50,
  maxLength: 400,
});

test("no message is read by two sides, and whoever reads in the end has every message that was acknowledged", () => {
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(steps, fc.option(fc.integer({ min: 0, max: 30 }), { freq: 3 }), (events, loses) => {
      const world = aWorld(loses ?? -1);
      for (const [event, ms] of events) world.happen(event, ms);
      const move = world.move();
      ends.set(move.stage, (ends.get(move.stage) ?? 0) + 1);
      if (!isOver(move)) return;
      const last = world.sides[move.stage === "done" ? "target" : "source"];
      expect([...world.acknowledged].filter(key => !last.stored.has(key))).toEqual([]);
    }),
    { numRuns: 300 },
  );
  // All of it is worth nothing where no move gets there.
  expect(ends.get("done") ?? 0).toBeGreaterThan(0);
  expect(ends.get("returned") ?? 0).toBeGreaterThan(0);
});
