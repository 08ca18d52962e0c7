import { describe, expect, it } from "vitest";
import { createAllowance } from "./allowance.ts";

describe("an allowance", () => {
  it("allows what is wanted where nothing bounds it", () => {
    const allowance = createAllowance(undefined, 0);
    expect([allowance.waitMs(5_000, 0), allowance.take(5_000, 0)]).toEqual([0, 5_000]);
  });

  it("allows a second's worth at once, and then as much as comes", () => {
    const allowance = createAllowance(100, 0);
    expect(allowance.take(1_000, 0)).toBe(100);
    expect(allowance.take(1_000, 0)).toBe(0);
    expect(allowance.take(1_000, 250)).toBe(25);
  });

  it("saves no more than a second's worth", () => {
    const allowance = createAllowance(100, 0);
    allowance.take(100, 0);
    expect(allowance.take(1_000, 60_000)).toBe(100);
  });

  it("says to wait until some are allowed, and not for more than it allows at once", () => {
    const allowance = createAllowance(100, 0);
    allowance.take(100, 0);
    expect([allowance.waitMs(1, 0), allowance.waitMs(1_000, 0)]).toEqual([10, 50]);
    expect(allowance.waitMs(1_000, 50)).toBe(0);
    expect(createAllowance(100, 0).waitMs(1_000, 0)).toBe(0);
  });

  it("allows one now and then where less than one a second is allowed", () => {
    const allowance = createAllowance(0.5, 0);
    expect([allowance.take(3, 0), allowance.waitMs(3, 0), allowance.take(3, 2_000)]).toEqual([1, 2_000, 1]);
  });
});
