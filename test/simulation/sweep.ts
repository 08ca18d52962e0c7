import { runSeeds } from "./pool.ts";
import type { Shares } from "./simulate.ts";
import { story } from "./story.ts";

/** Which seeds to sweep. */
export interface Sweep {
  readonly first: number;
  readonly count: number;
  readonly workers: number;
}

/**
 * In how many of a sweep's seeds the records suffer something, how many have workspaces, in how
 * many of these some move, and how many have a project with jobs. The hunt for planted bugs of the
 * fleet has none of it, so that the seeds that find them stay as they are.
 */
export const SHARES: Shares = { disasters: 1 / 12, failovers: 1 / 24, workspaces: 1 / 3, moves: 1 / 2, order: 1 / 4 };

const PROGRESS_MS = 10_000;
/** Stories are long; those of the first failures tell most. */
const MOST_STORIES = 5;

/**
 * Runs seeds, tells the story of each that fails, and ends with one line of counts; answers the
 * exit code.
 */
export async function sweep({ first, count, workers }: Sweep, write: (line: string) => void): Promise<number> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  const failed: number[] = [];
  let [done, steps, unlike, toldAt] = [0, 0, 0, 0];
  let hash = 0n;
  await runSeeds({ first, count, workers, twiceEvery: 50, shares: SHARES }, ({ outcome, again }) => {
    done++;
    steps += outcome.events;
    // Seeds end in any order, so what sums them up must not depend on it.
    hash ^= BigInt(`0x${outcome.hash}`) * BigInt(2 * outcome.seed + 1);
    if (outcome.violation !== undefined) {
      failed.push(outcome.seed);
      write(failed.length <= MOST_STORIES ? `\n${story(outcome)}\n` : `Seed ${outcome.seed}: ${outcome.violation}`);
    }
    if (again !== undefined && again !== outcome.hash) {
      unlike++;
      write(`Seed ${outcome.seed}: its second run went another way: ${outcome.hash}, then ${again}.`);
    }
    if (performance.now() - toldAt > PROGRESS_MS && done < count) {
      toldAt = performance.now();
      const left = Math.round((seconds() / done) * (count - done));
      write(`${done} of ${count} seeds, ${failed.length} violations, ${rate(done, seconds())}, ${left} s to go`);
    }
    return true;
  });
  const all = BigInt.asUintN(64, hash).toString(16).padStart(16, "0");
  if (failed.length > 0) write(`Failed: ${failed.toSorted((a, b) => a - b).join(" ")}`);
  write(
    `${count} seeds from ${first}: ${failed.length} violations${unlike > 0 ? `, ${unlike} not the same twice` : ""}; ` +
      `${(steps / 1e6).toFixed(1)} million steps, traces ${all}; ` +
      `${seconds().toFixed(0)} s on ${workers} workers (${rate(count, seconds())})`,
  );
  return failed.length === 0 && unlike === 0 ? 0 : 1;
}

function rate(seeds: number, seconds: number): string {
  return `${(seeds / seconds).toFixed(1)} seeds/s`;
}
