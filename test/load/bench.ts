import type { Bench, Defer } from "./measurement.ts";

/** The bench of a whole run. */
export interface OpenBench {
  /** Runs one measurement; what it deferred is undone when it ends, well or not. */
  measure<T>(work: (bench: Bench) => Promise<T>): Promise<T>;
  /** Undoes all that is left, also of a measurement that is under way. */
  close(): Promise<void>;
}

/** Makes the bench of one run; `say` writes a line for people. */
export function openBench(quick: boolean, say: (line: string) => void): OpenBench {
  const ofRun = createUndos(say);
  const scopes = [ofRun];
  const shared = new Map<string, Promise<unknown>>();
  const engines = new Set<string>();
  const benchIn = (scope: Undos): Bench => ({
    rounds: usual => (quick ? Math.max(2, Math.ceil(usual / 5)) : usual),
    say: detail => say(`  ${detail}`),
    engine: (name, version) => {
      const line = `engine ${name} ${version}`;
      if (!engines.has(line)) say(line);
      engines.add(line);
    },
    defer: scope.defer,
    share: <T>(name: string, make: (defer: Defer) => Promise<T>): Promise<T> => {
      const made = shared.get(name) ?? make(ofRun.defer);
      shared.set(name, made);
      return made as Promise<T>;
    },
  });
  return {
    measure: async work => {
      const scope = createUndos(say);
      scopes.push(scope);
      try {
        return await work(benchIn(scope));
      } finally {
        await scope.undo();
      }
    },
    close: async () => {
      for (const scope of scopes.toReversed()) await scope.undo();
    },
  };
}

interface Undos {
  readonly defer: Defer;
  /** The latest first; what fails is said, and the rest is done all the same. */
  undo(): Promise<void>;
}

function createUndos(say: (line: string) => void): Undos {
  const waiting: { readonly name: string; readonly undo: () => Promise<void> }[] = [];
  return {
    defer: (name, undo) => void waiting.push({ name, undo }),
    undo: async () => {
      for (let last = waiting.pop(); last !== undefined; last = waiting.pop()) {
        const { name } = last;
        await last.undo().catch((error: unknown) => say(`  ${name} could not be taken down: ${String(error)}`));
      }
    },
  };
}
