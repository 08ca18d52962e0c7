import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

/** What the command was asked for. */
export interface Options {
  readonly seeds: number | undefined;
  readonly first: number;
  readonly workers: number;
  /** One seed alone. */
  readonly seed: number | undefined;
  readonly trace: boolean;
  readonly story: boolean;
  readonly bug: string | undefined;
  readonly bugs: boolean;
  /** This scenario alone. */
  readonly scenario: string | undefined;
  readonly help: boolean;
}

/** What `--help` says. */
export const USAGE = `npm run sim -- [options]

  --seeds N     how many seeds (1000); with --bug and --bugs the most that a bug may survive (2000)
  --first N     the first of them (1)
  --workers N   processes (one for each core)
  --seed N      this seed alone, twice: whether every rule holds, and whether it went the same way
    --trace       with every step
    --story       with what led to its end, also where every rule holds
  --scenario S  this scenario alone, with --trace and --story as above
  --bug NAME    with this bug planted, until it is found
  --bugs        with each bug planted in turn
  --help
`;

/** Reads the command's arguments; throws with what is wrong about them. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ seeds: text, first: text, workers: text, seed: text, bug: text, scenario: text },
      ...{ trace: flag, story: flag, bugs: flag, help: flag },
    },
  });
  const number = (name: "seeds" | "first" | "workers" | "seed"): number | undefined => {
    const given = values[name];
    if (given === undefined) return undefined;
    if (!/^[1-9]\d{0,8}$/.test(given)) throw new Error(`--${name} takes a whole number from 1, not "${given}".`);
    return Number(given);
  };
  const seed = number("seed");
  if (values.bugs && values.bug !== undefined) throw new Error("Either --bug NAME or --bugs, not both.");
  if (values.trace && seed === undefined && values.scenario === undefined)
    throw new Error("--trace shows the steps of one seed: add --seed N.");
  return {
    seeds: number("seeds"),
    first: number("first") ?? 1,
    workers: number("workers") ?? availableParallelism(),
    seed,
    trace: values.trace,
    story: values.story,
    bug: values.bug,
    bugs: values.bugs,
    scenario: values.scenario,
    help: values.help,
  };
}
