import { BUGS, bugNamed } from "./bugs/bugs.ts";
import { huntBugs, sharesFor } from "./hunt.ts";
import { readOptions, USAGE, type Options } from "./options.ts";
import { plant } from "./plant.ts";
import { story } from "./story.ts";
import { SHARES, sweep } from "./sweep.ts";

const write = (line: string): void => void process.stdout.write(`${line}\n`);

/** The command `npm run sim`: answers the exit code. */
async function main(options: Options): Promise<number> {
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (options.scenario !== undefined) return playOne(options, options.scenario);
  if (options.seed !== undefined) return runOne(options, options.seed);
  if (options.bugs || options.bug !== undefined) {
    const bugs = options.bug === undefined ? BUGS : [bugNamed(options.bug)];
    return huntBugs(bugs, { first: options.first, most: options.seeds ?? 2_000, workers: options.workers }, write);
  }
  return sweep({ first: options.first, count: options.seeds ?? 1_000, workers: options.workers }, write);
}

/**
 * One seed in this process, twice; the bug comes first, before anything that it changes is loaded.
 */
async function runOne({ trace, story: told, bug }: Options, seed: number): Promise<number> {
  const planted = bug === undefined ? undefined : bugNamed(bug);
  if (planted !== undefined) plant(planted);
  const { simulate } = await import("./simulate.ts");
  // As the sweep runs it, or as the hunt does.
  const shares = planted === undefined ? SHARES : sharesFor(planted);
  const outcome = await simulate(seed, trace ? { ...shares, echo: write } : shares);
  const { hash, events, recoveredMs, violation } = outcome;
  if (!trace && (told || violation !== undefined)) write(story(outcome));
  const again = await simulate(seed, shares);
  const isSame = again.hash === hash;
  write(
    `seed ${seed}: ${violation ?? "every rule holds"}; ${events} steps, trace ${hash}` +
      `${isSame ? "" : `, but ${again.hash} when run again`}; as desired ${recoveredMs} ms after the last fault`,
  );
  return violation === undefined && isSame ? 0 : 1;
}

/** One scenario in this process. */
async function playOne({ trace, story: told, bug }: Options, name: string): Promise<number> {
  if (bug !== undefined) plant(bugNamed(bug));
  const { playScenario } = await import("./scenarios/scenario.ts");
  const { scenarioNamed } = await import("./scenarios/scenarios.ts");
  const outcome = await playScenario(scenarioNamed(name), trace ? write : undefined);
  const { hash, events, violation } = outcome;
  if (!trace && (told || violation !== undefined)) write(story(outcome));
  write(`scenario ${name}: ${violation ?? "every rule holds"}; ${events} steps, trace ${hash}`);
  return violation === undefined ? 0 : 1;
}

try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`sim: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
