import { matches } from "@skep/core/workspace/topic.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFilterIndex } from "./filter-index.ts";

const topic = fc
  .array(fc.constantFrom("a", "b", "", "$s"), { minLength: 1, maxLength: 4 })
  .map(levels => levels.join("/"));
const filter = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "", "+", "$s"), { maxLength: 4 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen || levels.length === 0 ? ["#"] : [])].join("/"))
  .filter(text => text !== "");

describe("an index of filters", () => {
  it("finds what comparing the topic with each filter finds", () => {
    fc.assert(
      fc.property(fc.uniqueArray(filter, { maxLength: 20 }), fc.uniqueArray(filter), topic, (kept, gone, one) => {
        const index = createFilterIndex<string>();
        for (const each of [...kept, ...gone]) index.add(each, each);
        for (const each of gone) if (!kept.includes(each)) index.remove(each, each);
        const found: string[] = [];
        index.visit(one, each => found.push(each));
        expect(found.toSorted()).toEqual(kept.filter(each => matches(each, one)).toSorted());
      }),
      { numRuns: 3_000 },
    );
  });

  it("keeps nothing of what was removed", () => {
    const index = createFilterIndex<number>();
    index.add("a/+/c/#", 1);
    index.add("a/+/c", 2);
    index.remove("a/+/c/#", 1);
    index.remove("a/+/d", 2);
    expect(index.isEmpty).toBe(false);
    index.remove("a/+/c", 2);
    expect(index.isEmpty).toBe(true);
  });

  it("does not look at filters that mean other topics", () => {
    const index = createFilterIndex<number>();
    for (let i = 0; i < 10_000; i++) index.add(`devices/d${i}/telemetry/#`, i);
    let visits = 0;
    index.visit("devices/d7/telemetry/location", () => visits++);
    expect(visits).toBe(1);
  });
});
