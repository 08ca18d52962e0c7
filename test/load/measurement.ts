import type { Result } from "./result.ts";

/** Notes something to take down, the latest first, whatever happens in between. */
export type Defer = (name: string, undo: () => Promise<void>) => void;

/** What a measurement gets from the run. */
export interface Bench {
  /** How often baseline and ours take turns. */
  readonly rounds: (usual: number) => number;
  /** One detail for people, before the result's line. */
  readonly say: (detail: string) => void;
  /** Notes an engine with its version and where it came from; said once per run. */
  readonly engine: (name: string, version: string) => void;
  /** Undone when this measurement ends. */
  readonly defer: Defer;
  /**
   * The same thing for every measurement of the run, made by the first to need it; its `defer` is
   * undone with the run.
   */
  readonly share: <T>(name: string, make: (defer: Defer) => Promise<T>) => Promise<T>;
}

/** One figure that is measured. It asserts nothing: it says what it saw. */
export interface Measurement {
  readonly name: string;
  readonly title: string;
  /** @throws Error that says why it could not be measured on this machine. */
  readonly run: (bench: Bench) => Promise<Result>;
}
