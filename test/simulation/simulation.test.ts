import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { runSeeds } from "./pool.ts";
import { simulate } from "./simulate.ts";
import { story } from "./story.ts";

/** `npm run sim -- --seeds N` runs more. */
const SEEDS = 150;

test(`Three schedulers and five agents come to what is desired under faults, and break no rule: ${SEEDS} seeds`, async () => {
  const failed: string[] = [];
  const unlike: number[] = [];
  let done = 0;
  const range = { first: 1, count: SEEDS, workers: availableParallelism(), twiceEvery: 30 };
  await runSeeds(range, ({ outcome, again }) => {
    done++;
    expect(outcome.events).toBeGreaterThan(1_000);
    if (outcome.violation !== undefined) failed.push(story(outcome));
    if (again !== undefined && again !== outcome.hash) unlike.push(outcome.seed);
    return failed.length < 3;
  });
  expect(failed.join("\n\n")).toBe("");
  expect(unlike, "seeds whose second run went another way").toEqual([]);
  expect(done).toBe(SEEDS);
});

/** Two have an older copy, one an empty database, and two lose the last commits. */
test.each([15, 20, 36, 83, 106])(
  "Records that are replaced end nothing, and a person recovers them: seed %i",
  async seed => {
    const outcome = await simulate(seed, { disasters: 1 / 12 });
    expect(outcome.violation === undefined ? "" : story(outcome)).toBe("");
  },
);
