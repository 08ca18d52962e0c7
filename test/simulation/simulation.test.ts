import { describe, expect, test } from "vitest";
import { simulate } from "./simulate.ts";

/** Another number of seeds by SKEP_SEEDS, other ones by SKEP_FIRST_SEED, a single one by SKEP_SEED. */
const only = process.env["SKEP_SEED"];
const first = Number(only ?? process.env["SKEP_FIRST_SEED"] ?? 1);
const count = only === undefined ? Number(process.env["SKEP_SEEDS"] ?? 200) : 1;
const BATCH = 10;

describe("Three schedulers and five agents, under faults", () => {
  const batches = Array.from({ length: Math.ceil(count / BATCH) }, (_, index) => first + index * BATCH);
  test.each(batches)("come to what is desired, and break no rule on the way (ten seeds from %i)", async from => {
    for (let seed = from; seed < Math.min(from + BATCH, first + count); seed++) {
      const outcome = await simulate(seed);
      if (outcome.violation !== undefined) expect.fail(story(outcome.seed, outcome.violation, outcome.trace));
    }
  });

  test("take the same way each time for the same seed", async () => {
    const [one, again] = [await simulate(first), await simulate(first)];
    expect(one.events).toBeGreaterThan(1_000);
    expect([again.hash, again.events]).toEqual([one.hash, one.events]);
  });
});

function story(seed: number, violation: string, trace: readonly string[]): string {
  return [
    `Seed ${seed}: ${violation}`,
    "",
    ...trace.slice(-60),
    "",
    `Again: SKEP_SEED=${seed} node test/simulation/replay.ts`,
  ].join("\n");
}
