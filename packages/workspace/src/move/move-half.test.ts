import { aConnector } from "@skep/core/testing/connector.ts";
import type { MoveOrder } from "@skep/core/workspace/move.ts";
import { createVirtualClock, type VirtualClock } from "@skep/kit/virtual-clock.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MessageDocument } from "../message.ts";
import { createTwinDatabase, type TwinDatabase } from "../testing/twin-database.ts";
import { portableOf } from "../testing/twin-portable.ts";
import { createBoth, type Both } from "./both.ts";
import { createMoveHalf, type MoveHalf, type MoveHalfPorts } from "./move-half.ts";
import { createQuiet, type Reading } from "./quiet.ts";

let clock: VirtualClock;
let [here, there]: TwinDatabase[] = [];
let both: TwinDatabase & Both;
let half: MoveHalf;
let reading: Reading;
let changes: number;

function aMessage(id: string, receivedAt = clock.now()): MessageDocument {
  const at = new Date(receivedAt);
  return { _id: id, deviceId: "d", category: "telemetry", type: "n", at, receivedAt: at, value: 1 };
}
const order = (over: Partial<MoveOrder> = {}): MoveOrder => ({
  ...{ stage: "copy", step: 2, side: "source", peer: "there:1", storesBoth: false, ...over },
});

function make(over: Partial<MoveHalfPorts> = {}): MoveHalf {
  return createMoveHalf({
    ...{
      clock,
      connector: aConnector(),
      both,
      portable: portableOf(here!),
      isSubscribed: () => true,
      isReady: () => true,
    },
    findPeer: () => portableOf(there!),
    quiet: createQuiet(clock, () => reading),
    changed: () => void (changes += 1),
    ...over,
  });
}

beforeEach(() => {
  clock = createVirtualClock(1_000_000_000);
  [here, there] = [createTwinDatabase(), createTwinDatabase()];
  both = createBoth({ ...here, portable: portableOf(here) });
  [reading, changes] = [{ read: 0, waiting: 0, isConnected: true }, 0];
  half = make();
});
afterEach(() => half.close());

const stored = (twin: TwinDatabase | undefined): readonly string[] => [...(twin?.stored.keys() ?? [])].toSorted();

describe("a half that copies", () => {
  it("brings what the other half lacks, and then what comes, and says how far it is", async () => {
    await here!.store(Array.from({ length: 250 }, (_, n) => aMessage(`m${n}`, 5_000)));
    await here!.bury([
      { _id: "l", topic: "w/x", payload: Uint8Array.of(1), receivedAt: new Date(5_000), because: "no" },
    ]);
    await there!.store([aMessage("m7", 5_000)]);
    await half.follow(order({ copySince: 0 }));
    await clock.advance(10);
    expect(half.facts()).toMatchObject({ step: 2, copied: 251, total: 251, isCopied: true, lacking: 0, isBoth: false });
    expect([stored(there), there!.buried.size]).toEqual([stored(here), 1]);
    await here!.store([aMessage("new")]);
    await clock.advance(400);
    expect(half.facts()).toMatchObject({ copied: 252, lacking: 1 });
    await clock.advance(400);
    expect(half.facts()).toMatchObject({ copied: 252, lacking: 0 });
    expect(stored(there)).toContain("new");
    expect(changes).toBeGreaterThan(2);
  });

  it("says what keeps it, and goes on once it can", async () => {
    await here!.store([aMessage("a")]);
    there!.before = () => {
      throw new Error("the other half is away");
    };
    await half.follow(order({ copySince: 0 }));
    await clock.advance(10);
    expect(half.facts()).toMatchObject({ waiting: "the other half is away", fault: "", isCopied: false });
    there!.before = () => undefined;
    await clock.advance(2_000);
    expect(half.facts()).toMatchObject({ waiting: "", isCopied: true });
  });

  it("calls it a fault where the other half can never have something", async () => {
    await here!.store([aMessage("a")]);
    there!.refuses = () => "it is too large";
    await half.follow(order({ copySince: 0 }));
    await clock.advance(10);
    expect(half.facts()?.fault).toBe("the other half cannot store a: it is too large");
  });

  it("looks again at what is new before it says that nothing is lacking in another step", async () => {
    await half.follow(order({ copySince: 0 }));
    await clock.advance(10);
    expect(half.facts()?.lacking).toBe(0);
    await half.follow(order({ copySince: 0, stage: "both", step: 3, storesBoth: true }));
    expect(half.facts()).toMatchObject({ step: 3, isBoth: true, isCopied: true });
    expect(half.facts()).not.toHaveProperty("lacking");
    await clock.advance(10);
    expect(half.facts()?.lacking).toBe(0);
  });

  it("brings on the way back only what came since", async () => {
    await here!.store([aMessage("old", 5_000), aMessage("late", 900_000)]);
    await half.follow(order({ copySince: 800_000 }));
    await clock.advance(10);
    expect(stored(there)).toEqual(["late"]);
    expect(half.facts()?.lacking).toBe(1);
    await clock.advance(400);
    expect(half.facts()?.lacking).toBe(0);
  });
});

describe("a half that compares", () => {
  const compare = { from: 0, afterMs: 5_000, settleMs: 1_000 };

  it("does so once the order is as old as it says, and not what is under way", async () => {
    await here!.store([aMessage("a", clock.now() + 4_500)]);
    await half.follow(order({ stage: "compare", storesBoth: true, compare }));
    await clock.advance(4_999);
    expect(half.facts()).not.toHaveProperty("comparison");
    await clock.advance(2);
    expect(half.facts()?.comparison).toMatchObject({ from: 0, compared: 0 });
  });

  it("names what is missing where, after it has looked again", async () => {
    await here!.store([aMessage("a", 5_000), aMessage("b", 5_000)]);
    await there!.store([aMessage("b", 5_000), aMessage("c", 5_000)]);
    await half.follow(order({ stage: "compare", storesBoth: true, compare }));
    await clock.advance(6_500);
    expect(half.facts()).not.toHaveProperty("comparison");
    await clock.advance(2_000);
    expect(half.facts()?.comparison?.missing).toEqual({
      target: { count: 1, first: ["a"] },
      source: { count: 1, first: ["c"] },
    });
  });

  it("does not look again for what only the source lacks", async () => {
    await there!.store([aMessage("c", 5_000)]);
    await half.follow(order({ stage: "compare", storesBoth: true, compare }));
    await clock.advance(5_001);
    expect(half.facts()?.comparison?.missing).toMatchObject({ target: { count: 0 }, source: { count: 1 } });
  });

  it("does not call missing what was only late", async () => {
    await here!.store([aMessage("a", 5_000)]);
    await half.follow(order({ stage: "compare", storesBoth: true, compare }));
    await clock.advance(5_500);
    await there!.store([aMessage("a", 5_000)]);
    await clock.advance(2_000);
    expect(half.facts()?.comparison).toMatchObject({ compared: 1, missing: { target: { count: 0 } } });
  });
});

describe("a half that reads", () => {
  it("stores nothing while it is to store at a half that has no host", async () => {
    await half.follow(order({ storesBoth: true, peer: "" }));
    await expect(both.store([aMessage("a")])).rejects.toThrow("the other half has no host yet");
    await half.follow(undefined);
    await both.store([aMessage("a")]);
    expect([stored(here), half.facts()]).toEqual([["a"], undefined]);
  });

  it("says how long nothing was left to read, since it was told this step", async () => {
    await half.follow(order({ stage: "drain" }));
    expect(half.facts()?.quietMs).toBe(0);
    await clock.advance(800);
    expect(half.facts()?.quietMs).toBe(800);
    reading = { ...reading, read: 1 };
    expect(half.facts()?.quietMs).toBe(0);
    reading = { ...reading, waiting: 1 };
    expect(half.facts()).not.toHaveProperty("quietMs");
    reading = { ...reading, waiting: 0, isConnected: false };
    expect(half.facts()).not.toHaveProperty("quietMs");
    reading = { ...reading, isConnected: true };
    expect(half.facts()?.quietMs).toBe(0);
    await clock.advance(500);
    await half.follow(order({ stage: "drain", step: 3 }));
    expect(half.facts()?.quietMs).toBe(0);
  });

  it("says so where it has no way to another database", async () => {
    const { both: _, ...ports } = { both };
    half = make({ ...ports, findPeer: undefined });
    await half.follow(order({ copySince: 0 }));
    expect(half.facts()?.fault).toBe("this host has no way to bring its database elsewhere");
  });
});
