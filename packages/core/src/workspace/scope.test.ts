import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { covers, isAllowed, isSocketFilter } from "./scope.ts";
import { matches } from "./topic.ts";

const level = fc.constantFrom("a", "b", "");
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map(levels => levels.join("/"));
const filter = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "", "+"), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen ? ["#"] : [])].join("/"));

describe("the scope of a token", () => {
  it("covers a filter only where it means every topic of it", () => {
    fc.assert(
      fc.property(filter, filter, topic, (scope, asked, one) => {
        if (covers(scope, asked) && matches(asked, one)) expect(matches(scope, one)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["#", "devices/+/telemetry/#", true],
    ["devices/d1/#", "devices/d1/telemetry/location", true],
    ["devices/d1/#", "devices/d1", true],
    ["devices/d1/#", "devices/+/telemetry", false],
    ["devices/d1/#", "#", false],
    ["devices/+/status", "devices/d1/status", true],
    ["devices/+/status", "devices/+/status", true],
    ["devices/+/status", "devices/#", false],
    ["devices/+", "devices/d1/status", false],
    ["devices/d1", "devices/d10", false],
  ])("%s covers %s: %s", (scope, asked, is) => {
    expect(covers(scope, asked)).toBe(is);
  });

  it("of no token allows nothing", () => {
    expect(isAllowed([], "devices/d1/status")).toBe(false);
    expect(isAllowed(["a", "devices/#"], "devices/d1/status")).toBe(true);
  });
});

describe("a filter of a socket", () => {
  it("is a filter within bounds", () => {
    expect(isSocketFilter("devices/+/telemetry/#")).toBe(true);
    for (const bad of ["", "$SYS/#", "a/#/b", "a+", "a\0", "x".repeat(513), "a/".repeat(16)])
      expect(isSocketFilter(bad), bad.slice(0, 20)).toBe(false);
  });
});
