import { describe, expect, it } from "vitest";
import type { Condition } from "./condition.ts";
import {
  evaluate,
  evaluateSilence,
  forgetRules,
  NO_MEMORY,
  silentAt,
  type DeviceMemory,
  type Event,
} from "./evaluate.ts";
import type { Rule } from "./rule.ts";

const hot: Condition = { kind: "threshold", field: "t", is: ">", value: 80, clear: undefined };

const aRule = (over: Partial<Rule> = {}): Rule => ({
  ...{ id: "hot", version: 1, enabled: true, category: "telemetry", type: "", when: hot, repeat: { kind: "once" } },
  actions: [{ kind: "event", topic: "alarm" }],
  clearActions: [{ kind: "event", topic: "calm" }],
  ...over,
});

const event = (t: number, at: number, over: Partial<Event> = {}): Event => ({
  ...{ deviceId: "d", category: "telemetry", type: "sensors", at, fields: new Map([["t", t]]) },
  ...over,
});

/** What each message leads to, in turn, in words. */
function told(rules: readonly Rule[], events: readonly Event[], begin: DeviceMemory = NO_MEMORY): readonly string[] {
  let memory = begin;
  return events.map(one => {
    const { effects, memory: next } = evaluate(rules, one, memory, Math.max(one.at, memory.lastAt));
    memory = next;
    return effects.map(({ because, action }) => `${because} ${action.kind === "event" ? action.topic : ""}`).join();
  });
}

describe("a rule", () => {
  it("acts when it begins to hold, and when it ends to", () => {
    const events = [event(1, 1), event(81, 2), event(82, 3), event(1, 4), event(2, 5)];
    expect(told([aRule()], events)).toEqual(["", "begins alarm", "", "ends calm", ""]);
  });

  it("acts with every message, or every so often, where it says so", () => {
    const events = [event(81, 1_000), event(81, 2_000), event(81, 3_000)];
    expect(told([aRule({ repeat: { kind: "always" } })], events)).toEqual([
      "begins alarm",
      "holds alarm",
      "holds alarm",
    ]);
    expect(told([aRule({ repeat: { kind: "every", ms: 2_000 } })], events)).toEqual([
      "begins alarm",
      "",
      "holds alarm",
    ]);
  });

  it("looks at the messages of its category and type only, and at none while it is off", () => {
    const others = [event(81, 1, { category: "status" })];
    expect(told([aRule()], others)).toEqual([""]);
    expect(told([aRule({ category: "" })], others)).toEqual(["begins alarm"]);
    expect(told([aRule({ type: "battery" })], [event(81, 1)])).toEqual([""]);
    expect(told([aRule({ enabled: false })], [event(81, 1)])).toEqual([""]);
  });

  it("of another version begins anew", () => {
    const { memory } = evaluate([aRule()], event(81, 1), NO_MEMORY, 1);
    expect(told([aRule({ version: 2 })], [event(81, 2)], memory)).toEqual(["begins alarm"]);
    expect(forgetRules(memory, [aRule()])).toBe(memory);
    expect(forgetRules(memory, [aRule({ version: 2 })]).rules.size).toBe(0);
    expect(forgetRules(memory, []).rules.size).toBe(0);
  });
});

describe("a message", () => {
  it("that comes late changes nothing, and one of the same moment counts", () => {
    expect(told([aRule()], [event(81, 10), event(1, 9), event(82, 11)])).toEqual(["begins alarm", "", ""]);
    expect(told([aRule()], [event(81, 10), event(1, 10)])).toEqual(["begins alarm", "ends calm"]);
  });

  it("from the future does not make those of now come late", () => {
    const { memory } = evaluate([aRule()], event(1, 9_000_000), NO_MEMORY, 1_000);
    expect(memory.lastAt).toBe(1_000);
    expect(told([aRule()], [event(81, 1_001)], memory)).toEqual(["begins alarm"]);
  });
});

describe("silence", () => {
  const quiet = aRule({ when: { kind: "absence", forMs: 5_000 } });
  const heard: DeviceMemory = { ...NO_MEMORY, lastAt: 1_000 };

  it("is asked for at its time, acts once, and ends with the next message", () => {
    expect(silentAt([aRule(), quiet], heard)).toBe(6_000);
    const early = evaluateSilence([quiet], heard, 5_999);
    expect(early.effects).toEqual([]);
    const { effects, memory } = evaluateSilence([quiet], early.memory, 6_000);
    expect(effects.map(one => one.because)).toEqual(["begins"]);
    expect(silentAt([quiet], memory)).toBeUndefined();
    expect(evaluateSilence([quiet], memory, 9_000).effects).toEqual([]);
    expect(told([quiet], [event(1, 9_000)], memory)).toEqual(["ends calm"]);
  });

  it("repeats nothing with each message, and every so often where that is said", () => {
    const again = (repeat: Rule["repeat"], now: number) => {
      const rule = { ...quiet, repeat };
      return evaluateSilence([rule], evaluateSilence([rule], heard, 6_000).memory, now).effects.length;
    };
    expect(again({ kind: "always" }, 7_000)).toBe(0);
    expect([again({ kind: "every", ms: 1_000 }, 6_999), again({ kind: "every", ms: 1_000 }, 7_000)]).toEqual([0, 1]);
  });

  it("means nothing to rules that do not ask for it", () => {
    expect(silentAt([aRule(), { ...quiet, enabled: false }], heard)).toBeUndefined();
    expect(evaluateSilence([aRule()], heard, 99_000).effects).toEqual([]);
  });
});
