import type { Bug } from "./bugs/bug.ts";
import { startWorker } from "./pool.ts";
import type { Shares } from "./simulate.ts";
import type { Answer } from "./worker.ts";

/** Where to look for planted bugs. */
export interface Hunt {
  readonly first: number;
  /** Most seeds that a bug may survive. */
  readonly most: number;
  readonly workers: number;
}

/** What became of one planted bug. */
export interface Catch {
  readonly bug: Bug;
  /**
   * The seed or the scenario that found it, and what was said; `undefined` when it survived.
   */
  readonly by: { readonly where: string; readonly violation: string } | undefined;
  readonly seeds: number;
  /** The first violation that the bug is not known for. */
  readonly other: string | undefined;
}

/** What a seed has in which a bug is looked for. */
export function sharesFor({ hasWorkspaces, hasProject }: Bug): Shares {
  return { ...(hasWorkspaces === true ? { workspaces: 1 } : {}), ...(hasProject === true ? { order: 1 } : {}) };
}

/**
 * Plants one bug in a process of its own and plays its scenario, where it names one, then seeds,
 * until a rule finds it.
 */
export async function hunt(bug: Bug, { first, most }: Omit<Hunt, "workers">): Promise<Catch> {
  const worker = startWorker(bug.name);
  let other: string | undefined;
  const judge = ({ outcome: { violation } }: Answer, where: string): Catch["by"] => {
    if (violation === undefined) return undefined;
    if (bug.found.test(violation)) return { where, violation };
    other ??= `${where}: ${violation}`;
    return undefined;
  };
  try {
    if (bug.scenario !== undefined) {
      const by = judge(await worker.run({ scenario: bug.scenario }), `scenario ${bug.scenario}`);
      if (by !== undefined) return { bug, by, seeds: 0, other };
    }
    for (let seed = first; seed < first + most; seed++) {
      const by = judge(await worker.run({ seed, twice: false, shares: sharesFor(bug) }), `seed ${seed}`);
      if (by !== undefined) return { bug, by, seeds: seed - first + 1, other };
    }
    return { bug, by: undefined, seeds: most, other };
  } finally {
    worker.close();
  }
}

/** Hunts each bug in turn, several at once; says what became of each and answers the exit code. */
export async function huntBugs(bugs: readonly Bug[], where: Hunt, write: (line: string) => void): Promise<number> {
  const startedAt = performance.now();
  const waiting = [...bugs];
  const survived: string[] = [];
  const found: string[] = [];
  const work = async (): Promise<void> => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const one = await hunt(bug, where);
      write(sentenceOf(one));
      (one.by === undefined ? survived : found).push(bug.name);
    }
  };
  await Promise.all(Array.from({ length: Math.min(where.workers, bugs.length) }, work));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  if (survived.length > 0) write(`Not caught: ${survived.join(", ")}`);
  write(`${bugs.length} planted bugs: ${found.length} caught, ${survived.length} not; ${seconds} s`);
  return survived.length === 0 ? 0 : 1;
}

function sentenceOf({ bug, by, seeds, other }: Catch): string {
  const more = other === undefined ? "" : ` (first another rule: ${other})`;
  if (by === undefined) return `NOT CAUGHT  ${bug.name} in ${seeds} seeds: ${bug.breaks}${more}`;
  return `caught      ${bug.name} by ${by.where}: ${by.violation.slice(0, 200)}`;
}
