import { bugNamed } from "./bugs/bugs.ts";
import { plant } from "./plant.ts";
import type { Outcome } from "./simulate.ts";

/** What a worker is asked: to run one seed, twice where the two are to be compared. */
export interface Order {
  readonly seed: number;
  readonly twice: boolean;
}

/** What a worker answers: the outcome, and what a second run of the seed made of it. */
export interface Answer {
  readonly outcome: Outcome;
  readonly again: string | undefined;
}

/**
 * One process that runs seeds for its parent, one after the other, with the bug of its first
 * argument built in.
 */
// Refusals are values to the programs here, and nobody reads where they came from.
Error.stackTraceLimit = 3;
const name = process.argv[2];
if (name !== undefined) plant(bugNamed(name));
const { simulate } = await import("./simulate.ts");

process.on("message", (order: Order) => void run(order));
process.on("disconnect", () => process.exit());
process.send?.("ready");

async function run({ seed, twice }: Order): Promise<void> {
  try {
    const outcome = await simulate(seed);
    const again = twice ? (await simulate(seed)).hash : undefined;
    process.send?.({ outcome, again } satisfies Answer);
  } catch (error) {
    process.stderr.write(`seed ${seed}: the simulation itself failed: ${String((error as Error).stack)}\n`);
    process.exit(1);
  }
}
