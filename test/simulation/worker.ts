import { bugNamed } from "./bugs/bugs.ts";
import { plant } from "./plant.ts";
import type { Outcome, Shares } from "./simulate.ts";

/**
 * What a worker is asked: to run one seed, twice where the two are to be compared, or to play a
 * scenario.
 */
export type Order =
  { readonly seed: number; readonly twice: boolean; readonly shares: Shares } | { readonly scenario: string };

/** What a worker answers: the outcome, and what a second run of the seed made of it. */
export interface Answer {
  readonly outcome: Outcome;
  readonly again: string | undefined;
}

/**
 * One process that runs seeds for its parent, one after the other, with the bug of its first
 * argument built in.
 */
// Refusals are values to the programs here, and a trace of the stack costs more than all else that
// they do; `--seed` runs in a process that keeps them.
Error.stackTraceLimit = 0;
const name = process.argv[2];
if (name !== undefined) plant(bugNamed(name));
const { simulate } = await import("./simulate.ts");
const { playScenario } = await import("./scenarios/scenario.ts");
const { scenarioNamed } = await import("./scenarios/scenarios.ts");

process.on("message", (order: Order) => void run(order));
process.on("disconnect", () => process.exit());
process.send?.("ready");

async function run(order: Order): Promise<void> {
  const play = (): Promise<Outcome> =>
    "scenario" in order ? playScenario(scenarioNamed(order.scenario)) : simulate(order.seed, order.shares);
  try {
    const outcome = await play();
    const again = "twice" in order && order.twice ? (await play()).hash : undefined;
    process.send?.({ outcome, again } satisfies Answer);
  } catch (error) {
    const what = "scenario" in order ? `scenario ${order.scenario}` : `seed ${order.seed}`;
    process.stderr.write(`${what}: the simulation itself failed: ${String((error as Error).stack)}\n`);
    process.exit(1);
  }
}
