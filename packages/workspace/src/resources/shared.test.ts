import { describe, expect, test } from "vitest";
import { createShared } from "./shared.ts";

interface Thing {
  readonly number: number;
  isEnded: boolean;
}

function aRoom() {
  const made: Thing[] = [];
  const shared = createShared<Thing>(async thing => {
    await Promise.resolve();
    thing.isEnded = true;
  });
  const make = async (): Promise<Thing> => {
    const thing = { number: made.length, isEnded: false };
    made.push(thing);
    await Promise.resolve();
    return thing;
  };
  return { shared, make, made };
}

describe("A shared resource", () => {
  test("is made by its first user and counted by every user (R91)", async () => {
    const { shared, make, made } = aRoom();
    const leases = await Promise.all([1, 2, 3].map(() => shared.acquire("a", make)));
    expect(made.length).toBe(1);
    expect(shared.counts()).toEqual(new Map([["a", 3]]));
    expect(new Set(leases.map(lease => lease.instance)).size).toBe(1);
  });

  test("ends only once nobody uses it (R92)", async () => {
    const { shared, make, made } = aRoom();
    const [first, second] = await Promise.all([shared.acquire("a", make), shared.acquire("a", make)]);
    await first.release();
    expect(made[0]!.isEnded).toBe(false);
    await second.release();
    expect(made[0]!.isEnded).toBe(true);
    expect(shared.counts().size).toBe(0);
  });

  test("is let go of once by one user, however often that user says so", async () => {
    const { shared, make, made } = aRoom();
    const [first, second] = await Promise.all([shared.acquire("a", make), shared.acquire("a", make)]);
    await Promise.all([first.release(), first.release()]);
    await first.release();
    expect(made[0]!.isEnded).toBe(false);
    expect(shared.counts()).toEqual(new Map([["a", 1]]));
    await second.release();
  });

  test("that is ending is given to nobody: who comes then gets a new one", async () => {
    const { shared, make, made } = aRoom();
    const first = await shared.acquire("a", make);
    const ending = first.release();
    const next = await shared.acquire("a", make);
    await ending;
    expect([made[0]!.isEnded, next.instance.number, next.instance.isEnded]).toEqual([true, 1, false]);
    await next.release();
    expect(made.every(thing => thing.isEnded)).toBe(true);
  });

  test("that cannot be made fails all who wait, and is tried anew by the next", async () => {
    const { shared, make } = aRoom();
    let fail: (error: Error) => void = () => undefined;
    const failing = () => new Promise<Thing>((_, reject) => (fail = reject));
    const waiting = [shared.acquire("a", failing), shared.acquire("a", failing)].map(one =>
      one.then(
        () => "made",
        (error: Error) => error.message,
      ),
    );
    fail(new Error("no route"));
    expect(await Promise.all(waiting)).toEqual(["no route", "no route"]);
    expect(shared.counts().size).toBe(0);
    const lease = await shared.acquire("a", make);
    expect(shared.counts()).toEqual(new Map([["a", 1]]));
    await lease.release();
  });

  test("made anew after a failure keeps its count while the others hear of the failure", async () => {
    const { shared, make, made } = aRoom();
    const failing = () => Promise.reject<Thing>(new Error("no route"));
    const next: Promise<{ release(): Promise<void> }>[] = [];
    const again = () => void next.push(shared.acquire("a", make));
    await Promise.all([1, 2, 3].map(() => shared.acquire("a", failing).catch(again)));
    const leases = await Promise.all(next);
    expect(shared.counts()).toEqual(new Map([["a", 3]]));
    await Promise.all(leases.map(lease => lease.release()));
    expect([made.length, made[0]!.isEnded, shared.counts().size]).toEqual([1, true, 0]);
  });

  test("of another key is another one", async () => {
    const { shared, make } = aRoom();
    const [a, b] = await Promise.all([shared.acquire("a", make), shared.acquire("b", make)]);
    await a.release();
    expect([a.instance.isEnded, b.instance.isEnded]).toEqual([true, false]);
    await b.release();
  });
});
