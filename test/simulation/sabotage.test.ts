import { describe, expect, test } from "vitest";
import { BUGS } from "./bugs.ts";
import { simulate } from "./simulate.ts";

/** Most seeds that a bug may survive. */
const SEEDS = 40;

describe("The rules find", () => {
  test.each(Object.entries(BUGS))("%s", async (_, { sabotage, found }) => {
    // One bug shows itself in several ways; which one comes first is the seed's choice.
    const others: unknown[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violation } = await simulate(seed, { sabotage });
      if (violation !== undefined && found.test(violation)) return;
      others.push(violation);
    }
    expect.fail(`${SEEDS} seeds did not find it, but ${JSON.stringify(others)}`);
  });
});
