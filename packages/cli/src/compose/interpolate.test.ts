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
  ])("reads %s as %s", (text, expected) => {
    expect(interpolate(text, VARIABLES)).toMatchObject({ ok: true, text: expected });
  });

  it.each([
    ["${NONE:?the words}", "the variable NONE is not set: the words"],
    ["${EMPTY:?}", "the variable EMPTY is empty"],
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
});
