import fc from "fast-check";
import { expect, test } from "vitest";
import { advanceMigration, isOver, MIGRATION_TIMES, ordersOf, startMigration } from "./migration.ts";
import type {
  Comparison,
  Migration,
  MigrationFacts,
  MigrationOrders,
  MigrationStage,
  Side,
} from "./migration-state.ts";

const SIDES = ["source", "target"] as const;
const DEVICES = ["a", "b"] as const;
type DeviceName = (typeof DEVICES)[number];
const other = (side: Side): Side => (side === "source" ? "target" : "source");

/** A host that does as it was told last, which may be long ago, and the broker beside it. */
interface ModelHost {
  told: (MigrationOrders & { readonly step: number }) | undefined;
  readonly stored: Set<string>;
  /** What devices published and nobody has acknowledged. */
  readonly queue: string[];
  /** Read, and not stored yet. */
  underWay: string | undefined;
  /** Since when it had nothing left to read in the step that it was told. */
  quietSince: number;
}

const EVENTS = [
  ...["tell source", "tell target", "tell source", "tell target", "tell gate a", "tell gate b"],
  ...["publish a", "publish b", "read source", "read target", "store source", "store target"],
  ...["copy", "copy", "look", "look", "look"],
] as const;

/** Both sides, the devices behind two gates, and the move, on a clock of their own. */
function aWorld(loses: number) {
  let now = 1_000_000;
  let move: Migration = startMigration({ workspaceId: "w", from: "shared", to: "standalone" }, now);
  const stages = new Set<MigrationStage>([move.stage]);
  const orders = () => ({ ...ordersOf(move), step: move.step });
  const sides: Record<Side, ModelHost> = {
    source: { told: orders(), stored: new Set(["old1", "old2"]), queue: [], underWay: undefined, quietSince: now },
    target: { told: undefined, stored: new Set(), queue: [], underWay: undefined, quietSince: now },
  };
  const at: Record<DeviceName, Side> = { a: "source", b: "source" };
  const serials: Record<DeviceName, number> = { a: 0, b: 0 };
  const lost = `a${loses}`;
  const published: string[] = [];
  const acknowledged: string[] = [];
  const isReading = (side: Side): boolean => sides[side].told?.reader === side || sides[side].underWay !== undefined;

  function read(side: Side): void {
    const host = sides[side];
    if (host.told?.reader !== side || host.underWay !== undefined) return;
    expect(SIDES.filter(isReading), "two sides read").toEqual([side]);
    host.underWay = host.queue[0];
    if (host.underWay !== undefined) host.quietSince = now;
  }

  function store(side: Side): void {
    const host = sides[side];
    const key = host.underWay;
    if (key === undefined) return;
    host.stored.add(key);
    // A bug that the comparison has to find: the other one misses it.
    if (host.told?.storesBoth === true && key !== lost) sides[other(side)].stored.add(key);
    host.underWay = undefined;
    host.queue.shift();
    host.quietSince = now;
    acknowledged.push(key);
  }

  function tell(side: Side): void {
    const host = sides[side];
    if (host.told?.step !== move.step) host.quietSince = now;
    host.told = orders();
  }

  function publish(device: DeviceName): void {
    const key = `${device}${serials[device]++}`;
    published.push(key);
    sides[at[device]].queue.push(key);
  }

  const lacks = (side: Side): string[] => [...sides[other(side)].stored].filter(key => !sides[side].stored.has(key));

  function copy(): void {
    const to = ordersOf(move).copyTo;
    if (to === undefined) return;
    // What is lost on the way to the target is not copied there either.
    for (const key of lacks(to)) if (to === "source" || key !== lost) sides[to].stored.add(key);
  }

  function facts(): MigrationFacts {
    const missing = { target: lacks("target"), source: lacks("source") };
    const told = (list: string[]) => ({ count: list.length, first: list.slice(0, 3) });
    const { compare, reader, devicesAt } = ordersOf(move);
    const comparison: Comparison | undefined = compare && {
      ...{ from: compare.from, until: now, compared: published.length },
      missing: { source: told(missing.source), target: told(missing.target) },
    };
    // What the loser misses is not known to be missing: only the comparison finds it.
    const behind = missing.target.filter(key => key !== lost).length;
    const host = reader === undefined ? undefined : sides[reader];
    const knows = host?.told?.step === move.step;
    const isQuiet = knows && host.queue.length === 0 && host.underWay === undefined;
    return {
      ...{ isReady: { source: true, target: true }, targetIsSubscribed: true, copied: sides.target.stored.size },
      ...{ isCopied: behind < 5, isBoth: knows && host.told?.storesBoth === true },
      lacks: { source: missing.source.length, target: behind },
      mayRead: { source: isReading("source"), target: isReading("target") },
      gatesBehind: DEVICES.filter(device => at[device] !== devicesAt),
      quietMs: isQuiet ? now - host.quietSince : undefined,
      ...{ comparison, fault: "" },
    };
  }

  function happen(event: string, ms: number): void {
    now += ms;
    const [what, first, second] = event.split(" ");
    if (what === "tell" && first === "gate") at[second as DeviceName] = ordersOf(move).devicesAt;
    else if (what === "tell") tell(first as Side);
    else if (what === "publish") publish(first as DeviceName);
    else if (what === "read") read(first as Side);
    else if (what === "store") store(first as Side);
    else if (what === "copy") copy();
    else move = advanceMigration(move, facts(), now, { ...MIGRATION_TIMES, lostMs: Infinity });
    stages.add(move.stage);
  }

  return { happen, sides, published, acknowledged, stages, move: () => move };
}

const steps = fc.array(fc.tuple(fc.constantFrom(...EVENTS), fc.integer({ min: 0, max: 6_000 })), {
  minLength: 100,
  maxLength: 700,
});

/** What one device published, in the order in which it was acknowledged. */
function ofDevice(device: DeviceName, keys: readonly string[]): readonly number[] {
  return keys.filter(key => key.startsWith(device)).map(key => Number(key.slice(1)));
}

test("no message is read by two sides, none is lost, and those of a device stay in order on the way there", () => {
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(steps, fc.option(fc.integer({ min: 0, max: 30 }), { freq: 3 }), (events, loses) => {
      const world = aWorld(loses ?? -1);
      for (const [event, ms] of events) world.happen(event, ms);
      const move = world.move();
      ends.set(move.stage, (ends.get(move.stage) ?? 0) + 1);
      // On a way back after devices were sent elsewhere, what the target kept comes late.
      const comesLate = world.stages.has("halt");
      for (const device of comesLate ? [] : DEVICES) {
        const serials = ofDevice(device, world.acknowledged);
        expect(serials).toEqual(serials.toSorted((a, b) => a - b));
      }
      if (!isOver(move) || move.because.includes("was not read")) return;
      const last = world.sides[move.stage === "done" ? "target" : "source"];
      expect(world.published.filter(key => !last.stored.has(key) && !last.queue.includes(key))).toEqual([]);
    }),
    { numRuns: 400 },
  );
  // All of it is worth nothing where no move gets there.
  expect(ends.get("done") ?? 0).toBeGreaterThan(0);
  expect(ends.get("returned") ?? 0).toBeGreaterThan(0);
});
