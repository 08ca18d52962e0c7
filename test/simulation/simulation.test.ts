import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { runSeeds } from "./pool.ts";
import { simulate } from "./simulate.ts";
import { story } from "./story.ts";
import { DISASTERS } from "./sweep.ts";

/** `npm run sim -- --seeds N` runs more, and runs these as they are run here. */
const SEEDS = 150;
/** One of them that has a disaster. */
const STRUCK = 15;

test(`Three schedulers and five agents come to what is desired under faults, and break no rule: ${SEEDS} seeds`, async () => {
  const failed: string[] = [];
  const unlike: number[] = [];
  let struck = "";
  let done = 0;
  const range = { first: 1, count: SEEDS, workers: availableParallelism(), twiceEvery: 30, disasters: DISASTERS };
  await runSeeds(range, ({ outcome, again }) => {
    done++;
    if (outcome.seed === STRUCK) struck = outcome.hash;
    expect(outcome.events).toBeGreaterThan(1_000);
    if (outcome.violation !== undefined) failed.push(story(outcome));
    if (again !== undefined && again !== outcome.hash) unlike.push(outcome.seed);
    return failed.length < 3;
  });
  expect(failed.join("\n\n")).toBe("");
  expect(unlike, "seeds whose second run went another way").toEqual([]);
  expect(done).toBe(SEEDS);
  expect(struck, "a seed that was to have a disaster").not.toBe((await simulate(STRUCK)).hash);
});

test.each([83, 106])("Lost commits end nothing, and a person recovers the records: seed %i", async seed => {
  const outcome = await simulate(seed, { failovers: 1 / 12 });
  expect(outcome.violation === undefined ? "" : story(outcome)).toBe("");
});
