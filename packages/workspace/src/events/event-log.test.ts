import { compareOffsets } from "@skep/core/workspace/offset.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEventLog, type EventLog } from "./event-log.ts";

function push(log: EventLog, now: number, bytes = 10): void {
  log.push({ offset: log.next(now), topic: "t", packet: "", parts: [], bytes });
}

describe("the log of a workspace's events", () => {
  it("keeps the newest within its bounds, and says what it has no more", () => {
    const log = createEventLog({ events: 3, bytes: 1_000 }, 100);
    const begin = log.last;
    for (let i = 0; i < 5; i++) push(log, 100);
    expect(log.size).toEqual({ events: 3, bytes: 30 });
    expect(log.has(begin)).toBe(false);
    expect(log.has({ ms: 100, seq: 1 })).toBe(false);
    expect(log.has({ ms: 100, seq: 2 })).toBe(true);
    expect(log.after({ ms: 100, seq: 2 }, 10).map(entry => entry.offset.seq)).toEqual([3, 4, 5]);
    expect(log.after({ ms: 100, seq: 3 }, 1).map(entry => entry.offset.seq)).toEqual([4]);
  });

  it("is bounded in bytes too, and one event larger than all of it leaves a gap", () => {
    const log = createEventLog({ events: 100, bytes: 25 }, 0);
    for (let i = 0; i < 5; i++) push(log, 0);
    expect(log.size).toEqual({ events: 2, bytes: 20 });
    const before = log.last;
    push(log, 0, 1_000);
    expect(log.size).toEqual({ events: 0, bytes: 0 });
    expect(log.has(before)).toBe(false);
    expect(log.has(log.last)).toBe(true);
  });

  it("knows no offset of before it began, and none that is yet to come", () => {
    const log = createEventLog({ events: 3, bytes: 100 }, 1_000);
    expect(log.has({ ms: 999, seq: 5 })).toBe(false);
    expect(log.has({ ms: 1_000, seq: 0 })).toBe(true);
    expect(log.has({ ms: 1_000, seq: 1 })).toBe(false);
  });

  it("goes on after an offset that somebody else gave, and forgets when told", () => {
    const log = createEventLog({ events: 3, bytes: 100 }, 1_000);
    log.advance({ ms: 5_000, seq: 3 });
    log.advance({ ms: 4_000, seq: 0 });
    expect(log.next(2_000)).toEqual({ ms: 5_000, seq: 4 });
    push(log, 6_000);
    log.forget();
    expect(log.size.events).toBe(0);
    expect(log.has({ ms: 5_000, seq: 3 })).toBe(false);
    expect(log.has({ ms: 6_000, seq: 0 })).toBe(true);
  });

  it("answers as a plain list would", () => {
    const steps = fc.array(fc.record({ wait: fc.nat(2), bytes: fc.nat(30) }), { maxLength: 3_000 });
    fc.assert(
      fc.property(steps, fc.nat(100), fc.nat(10), (pushes, from, most) => {
        const log = createEventLog({ events: 50, bytes: 500 }, 0);
        let now = 0;
        const all: { ms: number; seq: number }[] = [];
        for (const { wait, bytes } of pushes) {
          now += wait;
          all.push(log.next(now));
          push(log, now, bytes);
        }
        const kept = all.slice(all.length - log.size.events);
        const offset = all.at(-1 - from) ?? { ms: 0, seq: 0 };
        const expected = kept.filter(one => compareOffsets(one, offset) > 0).slice(0, most);
        expect(log.after(offset, most).map(entry => entry.offset)).toEqual(expected);
        expect(log.size.events).toBeLessThanOrEqual(50);
        expect(log.size.bytes).toBeLessThanOrEqual(500);
      }),
      { numRuns: 50 },
    );
  });
});
