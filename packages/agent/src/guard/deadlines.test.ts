import { describe, expect, test } from "vitest";
import { due, type Deadlines } from "./deadlines.ts";

const at = (endAt: number, hasEnded = false): Deadlines => new Map([["c", { endAt, hasEnded }]]);

describe("by its deadline a container", () => {
  test("is left alone before it, and asked about at it", () => {
    expect(due(at(500), 499, false)).toMatchObject({ toEnd: [], wakeAt: 500 });
  });

  test("has to end from then on, and again every second until it is renewed", () => {
    expect(due(at(500), 500, false)).toMatchObject({ toEnd: ["c"], wakeAt: 1_500 });
    expect(due(at(500), 400_000, false)).toMatchObject({ toEnd: ["c"], wakeAt: 401_000, givenUp: [] });
  });

  test("that has ended is looked after for as long as a late start may take", () => {
    expect(due(at(500, true), 60_499, false).toEnd).toEqual(["c"]);
    expect(due(at(500, true), 60_500, false)).toEqual({ toEnd: [], kept: new Map(), givenUp: [], wakeAt: undefined });
  });

  test("that has ended is left to the next agent when its own is gone", () => {
    expect(due(at(500, true), 600, true)).toEqual({ toEnd: [], kept: new Map(), givenUp: [], wakeAt: undefined });
    expect(due(at(500), 600, true).toEnd).toEqual(["c"]);
  });

  test("that does not end is given up five minutes after its agent is gone", () => {
    expect(due(at(500), 300_499, true)).toMatchObject({ toEnd: ["c"], givenUp: [] });
    expect(due(at(500), 300_500, true)).toEqual({ toEnd: [], kept: new Map(), givenUp: ["c"], wakeAt: undefined });
  });

  test("is asked about at the first of several deadlines", () => {
    const several = new Map([...at(900), ["d", { endAt: 700, hasEnded: false }] as const]);
    expect(due(several, 600, false).wakeAt).toBe(700);
  });
});
