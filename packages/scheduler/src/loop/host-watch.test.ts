import { beforeEach, describe, expect, it } from "vitest";
import { createHostWatch, DOWN_AFTER_MS, HOLD_MS, SUSPECT_AFTER_MS, type HostWatch } from "./host-watch.ts";

let nowMs = 0;
let watch: HostWatch;
const leases = new Map<string, number>();

/** What each host is taken to be after so much more time. */
function after(ms: number, ...heard: readonly string[]): Readonly<Record<string, string>> {
  nowMs += ms;
  for (const id of heard) leases.set(id, (leases.get(id) ?? 0) + 1);
  return Object.fromEntries(watch.see([...leases].map(([id, renewals]) => ({ id, renewals }))));
}

beforeEach(() => {
  nowMs = 1_000_000;
  leases.clear();
  watch = createHostWatch(() => nowMs);
  after(0, "a", "b");
});

describe("a host", () => {
  it("is ready, then suspect, and down only after every lease that it got has ended", () => {
    expect(DOWN_AFTER_MS).toBeGreaterThan(HOLD_MS);
    expect(after(SUSPECT_AFTER_MS - 1, "b")).toEqual({ a: "ready", b: "ready" });
    expect(after(1, "b")).toEqual({ a: "suspect", b: "ready" });
    expect(after(DOWN_AFTER_MS - SUSPECT_AFTER_MS - 1, "b")).toEqual({ a: "suspect", b: "ready" });
    expect(after(1, "b")).toEqual({ a: "down", b: "ready" });
    expect(after(0, "a", "b")).toEqual({ a: "ready", b: "ready" });
  });

  it("is not silent where its leases count back, as after a failover of the database", () => {
    after(1_400, "a", "b");
    leases.set("a", 1);
    expect(after(1_400, "b")).toEqual({ a: "ready", b: "ready" });
    expect(after(1_400, "b")).toEqual({ a: "ready", b: "ready" });
  });

  it("is observed from when it was first seen", () => {
    after(DOWN_AFTER_MS, "b");
    expect(after(0, "c", "b")).toEqual({ a: "down", b: "ready", c: "ready" });
    leases.delete("a");
    expect(after(10, "b", "c")).toEqual({ b: "ready", c: "ready" });
    leases.set("a", 1);
    expect(after(0)).toMatchObject({ a: "ready" });
  });
});

describe("hosts that are silent all at once", () => {
  it("are not down while nobody else is heard, and get time to be heard after the first one", () => {
    expect(after(60_000)).toEqual({ a: "suspect", b: "suspect" });
    expect(after(0, "a")).toEqual({ a: "ready", b: "suspect" });
    expect(after(DOWN_AFTER_MS - SUSPECT_AFTER_MS - 1, "a")).toEqual({ a: "ready", b: "suspect" });
    expect(after(1, "a")).toEqual({ a: "ready", b: "down" });
  });
});

it("says when the next bound is passed", () => {
  expect(watch.nextMs()).toBe(SUSPECT_AFTER_MS);
  after(SUSPECT_AFTER_MS + 100);
  expect(watch.nextMs()).toBe(DOWN_AFTER_MS - SUSPECT_AFTER_MS - 100);
  after(DOWN_AFTER_MS);
  expect(watch.nextMs()).toBeUndefined();
});
