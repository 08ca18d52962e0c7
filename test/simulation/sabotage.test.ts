import { describe, expect, test } from "vitest";
import { BUGS } from "./bugs/bugs.ts";
import { hunt } from "./hunt.ts";

/** Most seeds that a bug of the quick ones may survive; `npm run sim -- --bugs` hunts them all. */
const SEEDS = 40;

describe("The rules find", () => {
  test.concurrent.each(BUGS.filter(bug => bug.quick))("$name", async bug => {
    const { by, other } = await hunt(bug, { first: 1, most: SEEDS });
    expect(by, `${SEEDS} seeds did not find it: ${bug.breaks} Other rules said: ${other ?? "nothing"}`).toBeDefined();
  });
});
