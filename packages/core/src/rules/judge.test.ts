import { describe, expect, it, test } from "vitest";
import { WINDOW_BUCKETS, type Condition } from "./condition.ts";
import { isInside, judge, silenceMs, type Memory } from "./judge.ts";
import type { FieldValue } from "./value.ts";

type Said = readonly [at: number, fields: Readonly<Record<string, FieldValue>>];

/** What the condition says of each message in turn, each judged as it arrives. */
function judged(condition: Condition, said: readonly Said[]): readonly boolean[] {
  let memory: Memory = new Map();
  return said.map(([at, fields]) => {
    const found = judge(condition, { fields: new Map(Object.entries(fields)), at }, memory, at);
    memory = found.memory;
    return found.holds;
  });
}

const hot = (over: Partial<Extract<Condition, { kind: "threshold" }>> = {}): Condition => ({
  ...{ kind: "threshold", field: "t", is: ">", value: 80, clear: undefined },
  ...over,
});
const temperatures = (...all: readonly number[]): readonly Said[] => all.map((t, index) => [index + 1, { t }]);

describe("a threshold", () => {
  it.each([
    [">", [false, false, true]],
    [">=", [false, true, true]],
    ["<", [true, false, false]],
    ["<=", [true, true, false]],
    ["==", [false, true, false]],
    ["!=", [true, false, true]],
  ] as const)("compares by %s", (is, expected) => {
    expect(judged(hot({ is }), temperatures(79, 80, 81))).toEqual(expected);
  });

  it("goes on until the other bound is passed, where one is given", () => {
    expect(judged(hot({ clear: 70 }), temperatures(79, 81, 75, 70, 75, 81))).toEqual([
      ...[false, true, true],
      ...[false, false, true],
    ]);
  });

  it("stays as it was where a message lacks the field, and compares no text with a number", () => {
    expect(
      judged(hot(), [
        [1, { t: 81 }],
        [2, { x: 1 }],
        [3, { t: "99" }],
      ]),
    ).toEqual([true, true, false]);
    expect(judged(hot({ is: "==", value: "open", field: "door" }), [[1, { door: "open" }]])).toEqual([true]);
  });
});

describe("a rate", () => {
  const rising: Condition = { kind: "rate", field: "t", perMs: 60_000, is: ">", value: 5 };

  it("is the change per time between two messages", () => {
    expect(
      judged(rising, [
        [0, { t: 10 }],
        [60_000, { t: 15 }],
        [90_000, { t: 18 }],
      ]),
    ).toEqual([false, false, true]);
  });

  it("takes no message that is not newer", () => {
    expect(
      judged(rising, [
        [60_000, { t: 10 }],
        [60_000, { t: 99 }],
        [120_000, { t: 14 }],
      ]),
    ).toEqual([...[false, false, false]]);
  });
});

describe("a window", () => {
  const over = (aggregate: Extract<Condition, { kind: "window" }>["aggregate"], value: number): Condition => ({
    ...{ kind: "window", field: "t", aggregate, overMs: 60_000, is: ">=", value },
  });
  const said: readonly Said[] = [
    [1_000, { t: 10 }],
    [2_000, { t: 30 }],
    [63_000, { t: 2 }],
  ];

  it.each([
    ["average", 20, [false, true, false]],
    ["sum", 40, [false, true, false]],
    ["least", 10, [true, true, false]],
    ["most", 30, [false, true, false]],
    ["count", 2, [false, true, false]],
  ] as const)("tells the %s of what is within it", (aggregate, value, expected) => {
    expect(judged(over(aggregate, value), said)).toEqual(expected);
  });

  it("costs the same however many messages come, and whatever clock they have", () => {
    let memory: Memory = new Map();
    for (let at = 0; at < 200_000; at += 100) {
      memory = judge(over("count", 1), { fields: new Map([["t", 1]]), at: at * 1_000 }, memory, at).memory;
    }
    const kept = memory.get("");
    expect(kept?.kind === "window" ? kept.buckets.length : 0).toBeLessThanOrEqual(WINDOW_BUCKETS + 1);
  });

  it("takes nothing that is older than itself", () => {
    const late = judge(over("count", 1), { fields: new Map([["t", 1]]), at: 1_000 }, new Map(), 61_000);
    expect(late).toEqual({ holds: false, memory: new Map() });
  });
});

describe("a geofence", () => {
  const fence = (on: Extract<Condition, { kind: "geofence" }>["on"]): Condition => ({
    ...{ kind: "geofence", field: "at", on },
    area: { kind: "circle", centre: { lat: 52.52, lon: 13.405 }, radiusM: 1_000 },
  });
  const [here, away] = [{ at: { lat: 52.521, lon: 13.405 } }, { at: { lat: 52.54, lon: 13.405 } }];
  const way: readonly Said[] = [
    [1, away],
    [2, here],
    [3, here],
    [4, away],
    [5, { x: 1 }],
  ];

  it.each([
    ["inside", [false, true, true, false, false]],
    ["outside", [true, false, false, true, true]],
    ["enter", [false, true, false, false, false]],
    ["leave", [false, false, false, true, false]],
  ] as const)("tells who is or goes %s", (on, expected) => {
    expect(judged(fence(on), way)).toEqual(expected);
  });

  it("has corners as well", () => {
    const corners = [
      { lat: 0, lon: 0 },
      { lat: 0, lon: 10 },
      { lat: 10, lon: 10 },
      { lat: 5, lon: 5 },
      { lat: 10, lon: 0 },
    ];
    const inside = (lat: number, lon: number) => isInside({ lat, lon }, { kind: "polygon", corners });
    expect([inside(2, 5), inside(8, 1), inside(8, 5), inside(-1, 5), inside(5, 11)]).toEqual([
      ...[true, true, false, false, false],
    ]);
  });
});

describe("a change", () => {
  const change = (from?: FieldValue, to?: FieldValue): Condition => ({ kind: "change", field: "s", from, to });
  const states: readonly Said[] = [
    [1, { s: "a" }],
    [2, { s: "b" }],
    [3, { s: "b" }],
    [4, { x: 1 }],
    [5, { s: "a" }],
  ];

  it("is another value than before, from or to a certain one where that is said", () => {
    expect(judged(change(), states)).toEqual([false, true, false, false, true]);
    expect(judged(change("b"), states)).toEqual([false, false, false, false, true]);
    expect(judged(change(undefined, "b"), states)).toEqual([false, true, false, false, false]);
  });

  it("knows places by what they are", () => {
    const at: readonly Said[] = [
      [1, { s: { lat: 1, lon: 2 } }],
      [2, { s: { lat: 1, lon: 2 } }],
      [3, { s: { lat: 1, lon: 3 } }],
    ];
    expect(judged(change(), at)).toEqual([false, false, true]);
  });
});

describe("conditions of conditions", () => {
  const cold = hot({ is: "<", value: 0 });

  it("hold all, any, or not", () => {
    expect(judged({ kind: "any", of: [hot(), cold] }, temperatures(-1, 1, 81))).toEqual([true, false, true]);
    expect(judged({ kind: "all", of: [hot(), hot({ is: "<", value: 90 })] }, temperatures(81, 91))).toEqual([
      true,
      false,
    ]);
    expect(judged({ kind: "not", of: hot() }, temperatures(81, 1))).toEqual([false, true]);
  });

  it("remember each of their parts, also where the others have decided", () => {
    const changed: Condition = { kind: "change", field: "t", from: undefined, to: undefined };
    expect(judged({ kind: "any", of: [hot(), changed] }, temperatures(81, 5, 5))).toEqual([true, true, false]);
    expect(judged({ kind: "all", of: [hot(), changed] }, temperatures(1, 81))).toEqual([false, true]);
  });
});

test("Silence holds once it has lasted, and asks to be asked then", () => {
  const absence: Condition = { kind: "absence", forMs: 5_000 };
  const silent = (now: number) => judge(absence, { fields: undefined, at: 1_000 }, new Map(), now).holds;
  expect([silent(5_999), silent(6_000)]).toEqual([false, true]);
  const either: Condition = {
    kind: "any",
    of: [hot(), { kind: "not", of: absence }, { kind: "absence", forMs: 9_000 }],
  };
  expect([silenceMs(hot()), silenceMs(absence), silenceMs(either)]).toEqual([undefined, 5_000, 5_000]);
});
