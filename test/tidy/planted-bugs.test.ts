import { describe, expect, test } from "vitest";
import { BUGS } from "../simulation/bugs/bugs.ts";
import { textOf } from "../simulation/plant.ts";

/**
 * A bug that can no longer be planted proves nothing: a change of the code moves the bug along.
 */
describe("The bugs that the simulation plants", () => {
  test.each(BUGS)("$name still has its place in the code", ({ edits }) => {
    for (const edit of edits) expect(textOf(edit)).not.toBe("");
  });

  test("have names of their own", () => {
    expect(new Set(BUGS.map(bug => bug.name)).size).toBe(BUGS.length);
  });
});
