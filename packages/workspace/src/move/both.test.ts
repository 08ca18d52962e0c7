import { describe, expect, it } from "vitest";
import type { DeadLetter, MessageDocument } from "../message.ts";
import { createTwinDatabase } from "../testing/twin-database.ts";
import { portableOf } from "../testing/twin-portable.ts";
import { UnstorableError } from "../unstorable.ts";
import { createBoth, inParcels } from "./both.ts";

const at = new Date(1_000);
const aMessage = (id: string): MessageDocument => ({
  ...{ _id: id, deviceId: "d", category: "telemetry", type: "n", at, receivedAt: at, value: { n: 1 } },
});
const aLetter = (id: string): DeadLetter => ({
  _id: id,
  topic: "w/x",
  payload: Uint8Array.of(1),
  receivedAt: at,
  because: "no",
});

function begin() {
  const [here, there] = [createTwinDatabase(), createTwinDatabase()];
  const both = createBoth({ ...here, portable: portableOf(here) });
  return { here, there, both, other: portableOf(there) };
}

describe("a database that stores at both halves", () => {
  it("stores here alone until it is told where else", async () => {
    const { here, there, both, other } = begin();
    await both.store([aMessage("a")]);
    expect([both.isBoth(), there.stored.size]).toEqual([false, 0]);
    await both.storeAt(other);
    await both.store([aMessage("b")]);
    await both.bury([aLetter("l")]);
    expect(both.isBoth()).toBe(true);
    expect([[...there.stored.keys()], [...there.buried.keys()]]).toEqual([["b"], ["l"]]);
    await both.storeAt(undefined);
    await both.store([aMessage("c")]);
    expect([here.stored.size, there.stored.size]).toEqual([3, 1]);
  });

  it("has stored nothing where the other half has not: it may be stored again", async () => {
    const { here, there, both, other } = begin();
    await both.storeAt(other);
    there.before = () => {
      throw new Error("the other half is away");
    };
    await expect(both.store([aMessage("a")])).rejects.toThrow("the other half is away");
    await expect(both.bury([aLetter("l")])).rejects.toThrow("the other half is away");
    there.before = () => undefined;
    await both.store([aMessage("a")]);
    expect([here.stored.size, there.stored.size]).toEqual([1, 1]);
  });

  it("stores both only once nothing is under way that is stored here alone", async () => {
    const { here, both, other } = begin();
    let go = (): void => undefined;
    here.before = () => new Promise(resolve => (go = resolve));
    const storing = both.store([aMessage("a")]);
    let isDone = false;
    const switched = both.storeAt(other).then(() => (isDone = true));
    await Promise.resolve();
    expect([isDone, both.isBoth()]).toEqual([false, false]);
    go();
    await Promise.all([storing, switched]);
    expect(both.isBoth()).toBe(true);
  });

  it("brings nothing there that can never be stored here, and says so", async () => {
    const { here, there, both, other } = begin();
    await both.storeAt(other);
    here.refuses = one => (one._id === "bad" ? "too large" : undefined);
    const failure = await both.store([aMessage("bad"), aMessage("good")]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnstorableError);
    expect([...there.stored.keys()]).toEqual(["good"]);
  });

  it("acknowledges nothing that the other half can never store", async () => {
    const { there, both, other } = begin();
    await both.storeAt(other);
    there.refuses = () => "it is full";
    await expect(both.store([aMessage("a")])).rejects.toThrow("the other half cannot store a: it is full");
  });
});

it("parcels have so many documents and bytes at most, and each document is in one", () => {
  const small = Array.from({ length: 1_200 }, () => new Uint8Array(10));
  expect([...inParcels(small)].map(one => one.length)).toEqual([500, 500, 200]);
  const large = Array.from({ length: 3 }, () => new Uint8Array(3 * 1024 * 1024));
  expect([...inParcels(large)].map(one => one.length)).toEqual([1, 1, 1]);
  expect([...inParcels([new Uint8Array(10 * 1024 * 1024)])].map(one => one.length)).toEqual([1]);
  expect([...inParcels([])]).toEqual([]);
});
