import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { Shares } from "./simulate.ts";
import type { Answer, Order } from "./worker.ts";

/** A worker process that runs seeds. */
export interface Worker {
  /** Runs a seed; rejects when the process ended over it. */
  run(order: Order): Promise<Answer>;
  close(): void;
}

/**
 * What a seed makes dies young: with more room less is copied, and a tenth less time goes. Each
 * core has a worker, from which threads that collect beside it would only take time.
 */
const MEMORY = ["--max-semi-space-size=64", "--min-semi-space-size=64", "--single-threaded-gc"];

/** Starts a worker; `bug` names what is built into its programs. */
export function startWorker(bug?: string): Worker {
  const child = fork(join(import.meta.dirname, "worker.ts"), bug === undefined ? [] : [bug], {
    execArgv: ["--disable-warning=ExperimentalWarning", ...MEMORY],
    // A worker must not report to the test runner that this process belongs to.
    env: { PATH: process.env["PATH"] ?? "" },
  });
  const ready = next(child);
  ready.catch(() => undefined);
  return {
    run: async order => {
      await ready;
      const answer = next(child);
      child.send(order);
      return (await answer) as Answer;
    },
    close: () => child.disconnect(),
  };
}

function next(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => {
      child.off("message", told);
      reject(new Error(`A worker of the simulation ended with code ${code}; its last words stand above.`));
    };
    const told = (message: unknown): void => {
      child.off("exit", ended);
      resolve(message);
    };
    child.once("exit", ended);
    child.once("message", told);
  });
}

/** Which seeds to run, and on how many processes. */
export interface Range {
  readonly first: number;
  readonly count: number;
  readonly workers: number;
  /** Of so many seeds one is run twice, and both runs must be the same; 0 for none. */
  readonly twiceEvery: number;
  /** What how many of the seeds have beside the rest; none by default. */
  readonly shares?: Shares;
  readonly bug?: string;
}

/**
 * Runs seeds on several processes; `onAnswer` hears of each as it is done, and answers whether to
 * go on.
 */
export async function runSeeds(range: Range, onAnswer: (answer: Answer) => boolean): Promise<void> {
  const { first, count, twiceEvery, shares = {} } = range;
  let [next, goesOn] = [first, true];
  const work = async (): Promise<void> => {
    const worker = startWorker(range.bug);
    try {
      while (goesOn && next < first + count) {
        const seed = next++;
        const answer = await worker.run({ seed, twice: twiceEvery > 0 && seed % twiceEvery === 0, shares });
        goesOn = onAnswer(answer) && goesOn;
      }
    } finally {
      worker.close();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(range.workers, count)) }, work));
}
