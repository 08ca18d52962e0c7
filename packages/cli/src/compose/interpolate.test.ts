import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { interpolate } from "./interpolate.ts";

const VARIABLES = { SET: "value", EMPTY: "" };

describe("interpolate", () => {
  it.each([
    ["$SET/${SET}", "value/value"],
    ["$$SET and $${SET}", "$SET and ${SET}"],
    ["[$EMPTY][${NONE}]", "[][]"],
    ["${NONE:-a}${EMPTY:-b}${SET:-c}", "abvalue"],
    ["${NONE-a}[${EMPTY-b}]", "a[]"],
    ["${SET:+yes}${EMPTY:+no}${EMPTY+there}", "yesthere"],
    ["${NONE:-${OTHER:-deep}}!", "deep!"],
    ["${SET:?never}", "value"],
    ['${NONE:-{"n":1}}', '{"n":1}'],
    ['${NONE:-{"a":{"b":[{}]}}}/${SET}', '{"a":{"b":[{}]}}/value'],
    ['[${SET:-{"n":1}}]', "[value]"],
    ["${NONE:-{}", "{"],
    ["${NONE:-a}}", "a}"],
    ["${NONE:-{x} and ${SET}", "{x and value"],
    ["${NONE:-${SET:-{}}}", "value"],
    ["${NONE:-$${SET}}", "${SET}"],
    ["{${SET}}", "{value}"],
  ])("reads %s as %s", (text, expected) => {
    expect(interpolate(text, VARIABLES)).toMatchObject({ ok: true, text: expected });
  });

  it.each([
    ["${NONE:?the words}", "the variable NONE is not set: the words"],
    ["${EMPTY:?}", "the variable EMPTY is empty"],
    ["${NONE?with ${SET}}", "the variable NONE is not set: with value"],
    ["cost: 5$", "begins no variable"],
    ["${SET", "is not a variable"],
    ["${1X}", "is not a variable"],
    ["${SET!x}", "is not a variable"],
  ])("refuses %s", (text, words) => {
    const result = interpolate(text, VARIABLES);
    expect(result.ok ? "" : result.problem).toContain(words);
  });

  it("names variables that nobody set", () => {
    expect(interpolate("$A ${B} ${C:-c} $SET", VARIABLES)).toMatchObject({ unset: ["A", "B"] });
  });

  it("gives any text back whose dollar signs are doubled, also as a default", () => {
    const text = fc.string({ unit: fc.constantFrom("$", "{", "}", ":", "-", "a", "\\", '"', " "), maxLength: 30 });
    fc.assert(
      fc.property(text, one => {
        const doubled = one.replaceAll("$", "$$$$");
        expect(interpolate(doubled, VARIABLES)).toEqual({ ok: true, text: one, unset: [] });
      }),
      { numRuns: 500, seed: 5 },
    );
    const name = fc.constantFrom("a", "b");
    const json = fc.letrec<{ value: unknown }>(tie => ({
      value: fc.oneof(
        { maxDepth: 4 },
        name,
        fc.integer(),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(name, tie("value")),
      ),
    })).value;
    fc.assert(
      fc.property(json, value => {
        const written = JSON.stringify(value);
        expect(interpolate(`x\${NONE:-${written}}y`, VARIABLES)).toMatchObject({ ok: true, text: `x${written}y` });
      }),
      { numRuns: 300, seed: 6 },
    );
  });
});
