import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { DEFAULT_SCALING, scale, type ScalingState, type Triggers } from "./autoscale.ts";

const policy = { ...DEFAULT_SCALING, enabled: true };
const idle: Triggers = { cpuUsage: 1, memoryUsage: 1, connectionCount: 1, messagesPerSecond: 1 };
const state = (over: Partial<ScalingState> = {}, load: Partial<Triggers> = {}): ScalingState => ({
  instances: 2,
  load: { ...idle, ...load },
  changedAt: undefined,
  ...over,
});

describe("the number of instances", () => {
  it.each([
    ["cpuUsage", 80],
    ["memoryUsage", 70],
    ["connectionCount", 400],
    ["messagesPerSecond", 5000],
  ] as const)("grows by one where %s passes %i, and not at it", (name, bound) => {
    expect(scale(policy, state({ instances: 1 }, { [name]: bound + 1 }), 0).instances).toBe(2);
    expect(scale(policy, state({ instances: 1 }, { [name]: bound }), 0).instances).toBe(1);
  });

  it("waits for the cooldown, and says until when", () => {
    const busy = state({ changedAt: 1_000 }, { cpuUsage: 99 });
    expect(scale(policy, busy, 300_999)).toMatchObject({ instances: 2, againAt: 301_000 });
    expect(scale(policy, busy, 301_000)).toMatchObject({ instances: 3, againAt: 601_000 });
    const calm = state({ changedAt: 1_000 });
    expect(scale(policy, calm, 300_999)).toMatchObject({ instances: 2, againAt: 301_000 });
    expect(scale(policy, calm, 301_000).instances).toBe(1);
  });

  it("never passes the most that is allowed, and comes back to it", () => {
    const most = scale(policy, state({ instances: 5 }, { cpuUsage: 99 }), 0);
    expect(most).toMatchObject({ instances: 5, because: expect.stringContaining("5 instances are the most allowed") });
    expect(scale(policy, state({ instances: 9, changedAt: 0 }), 1).instances).toBe(5);
  });

  it("shrinks only where the others carry the load with room to spare", () => {
    expect(scale(policy, state({}, { cpuUsage: 32 }), 0).instances).toBe(1);
    expect(scale(policy, state({}, { cpuUsage: 33 }), 0)).toMatchObject({
      instances: 2,
      because: "with one fewer cpu (%) would be 66, near 80",
    });
    expect(scale(policy, state({ instances: 1 }), 0).instances).toBe(1);
  });

  it("stays while it is switched off, or while somebody has not reported", () => {
    expect(scale({ ...policy, enabled: false }, state({ instances: 9 }, { cpuUsage: 99 }), 0).instances).toBe(9);
    expect(scale(policy, state({ load: undefined }), 0).instances).toBe(2);
  });
});

test("A load that does not change never makes it go up and down", () => {
  const total = fc.double({ min: 0, max: 600, noNaN: true });
  fc.assert(
    fc.property(total, fc.integer({ min: 1, max: 5 }), (cpu, begin) => {
      let instances = begin;
      const directions = new Set<number>();
      for (let round = 0; round < 12; round++) {
        const next = scale(policy, state({ instances }, { cpuUsage: cpu / instances }), round * 1_000_000).instances;
        if (next !== instances) directions.add(Math.sign(next - instances));
        instances = next;
      }
      expect(directions.size).toBeLessThanOrEqual(1);
    }),
  );
});
