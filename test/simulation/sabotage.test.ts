import { describe, expect, test } from "vitest";
import { BUGS } from "./bugs.ts";
import { simulate } from "./simulate.ts";

/** Most seeds that a bug may survive. */
const SEEDS = 40;

describe("The rules find", () => {
  test.each(Object.entries(BUGS))("%s", async (_, { sabotage, found }) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violation } = await simulate(seed, { sabotage });
      if (violation === undefined) continue;
      expect(violation).toMatch(found);
      return;
    }
    expect.fail(`${SEEDS} seeds did not find it`);
  });
});
