import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { runSeeds } from "./pool.ts";
import { simulate } from "./simulate.ts";
import { story } from "./story.ts";
import { SHARES } from "./sweep.ts";

/** `npm run sim -- --seeds N` runs more, and runs these as they are run here. */
const SEEDS = 150;
/** Of them one that loses commits and one that has another disaster. */
const STRUCK = [14, 15];

test(`Three schedulers and five agents come to what is desired under faults, and break no rule: ${SEEDS} seeds`, async () => {
  const failed: string[] = [];
  const unlike: number[] = [];
  const struck = new Map<number, string>();
  let done = 0;
  const range = { first: 1, count: SEEDS, workers: availableParallelism(), twiceEvery: 30, shares: SHARES };
  await runSeeds(range, ({ outcome, again }) => {
    done++;
    if (STRUCK.includes(outcome.seed)) struck.set(outcome.seed, outcome.hash);
    expect(outcome.events).toBeGreaterThan(1_000);
    if (outcome.violation !== undefined) failed.push(story(outcome));
    if (again !== undefined && again !== outcome.hash) unlike.push(outcome.seed);
    return failed.length < 3;
  });
  expect(failed.join("\n\n")).toBe("");
  expect(unlike, "seeds whose second run went another way").toEqual([]);
  expect(done).toBe(SEEDS);
  for (const seed of STRUCK)
    expect(struck.get(seed), `seed ${seed} was to have a disaster`).not.toBe((await simulate(seed)).hash);
});
