import type { Observed } from "../model/observed.ts";
import type { Step } from "./step.ts";

/**
 * What is remembered of one container of an assigned instance, across the containers that were made
 * for it.
 */
export interface ContainerMemory {
  /**
   * Id of the container that was last seen; `undefined` before the first, and once its loss was
   * counted.
   */
  readonly id: string | undefined;
  /** When the last seen container was started, to notice that it was started again. */
  readonly startedAt: number | undefined;
  /** Ends in a row; a run of the policy's window makes them forgotten. */
  readonly failures: number;
  /** Times of the ends within the policy's window. */
  readonly ends: readonly number[];
  /** The end that was counted last, so that it is counted once. */
  readonly countedEnd: string;
  /** An end that had come before this life of the agent saw the container. */
  readonly unseenEnd: string;
  /** No start before this time. */
  readonly nextStartAt: number;
  readonly restarts: number;
  /** Why it ended last, in words. */
  readonly reason: string;
  /**
   * It is being stopped because its health check failed, so that its end is a failure whatever its
   * exit code.
   */
  readonly unwell: boolean;
  /** It is being removed to be made anew, so that its absence is no loss. */
  readonly replacing: boolean;
  /** The restart policy has given up. */
  readonly failed: boolean;
}

/** Failures of one step in a row. */
export interface TryMemory {
  readonly failures: number;
  readonly nextAt: number;
  /** The engine's own words. */
  readonly lastError: string;
  /** Since when, and how often in a row, the engine refused it because a host port was taken. */
  readonly portTaken: { readonly since: number; readonly times: number } | undefined;
}

/** Why a step failed. */
export interface StepFailure {
  /** The engine's own words. */
  readonly words: string;
  /** Somebody else on the node has the host port. */
  readonly isPortTaken: boolean;
}

/**
 * What `converge` hands itself from call to call. Plain data: it may be kept or lost, and losing it
 * only forgets backoffs.
 */
export interface ConvergeMemory {
  /** Keyed by `<instance id>@<epoch>/<container>`. */
  readonly containers: Readonly<Record<string, ContainerMemory>>;
  /** Keyed by step key. */
  readonly tries: Readonly<Record<string, TryMemory>>;
  /**
   * Containers that were not running when the agent started on a node that had itself just started.
   */
  readonly exitedAtBoot: readonly string[];
}

/** A memory of nothing. */
export const EMPTY_MEMORY: ConvergeMemory = { containers: {}, tries: {}, exitedAtBoot: [] };

/** What is remembered of a container before it was ever seen. */
export const NEW_CONTAINER: ContainerMemory = {
  id: undefined,
  startedAt: undefined,
  failures: 0,
  ends: [],
  countedEnd: "",
  unseenEnd: "",
  nextStartAt: 0,
  restarts: 0,
  reason: "",
  unwell: false,
  replacing: false,
  failed: false,
};

const FIRST_RETRY_MS = 1_000;
/** The longest wait between two tries of a step. */
export const LONGEST_RETRY_MS = 60_000;

/**
 * Remembers that a step failed: the next try of the same key waits, longer each time up to a
 * minute.
 */
export function noteStepFailed(memory: ConvergeMemory, step: Step, failure: StepFailure, now: number): ConvergeMemory {
  const before = memory.tries[step.key];
  const failures = (before?.failures ?? 0) + 1;
  const nextAt = now + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20));
  const { since = now, times = 0 } = before?.portTaken ?? {};
  const portTaken = failure.isPortTaken ? { since, times: times + 1 } : undefined;
  return {
    ...memory,
    tries: { ...memory.tries, [step.key]: { failures, nextAt, lastError: failure.words, portTaken } },
  };
}

/** Forgets the failures of a step that succeeded. */
export function noteStepDone(memory: ConvergeMemory, step: Step): ConvergeMemory {
  if (memory.tries[step.key] === undefined) return memory;
  const { [step.key]: _, ...tries } = memory.tries;
  return { ...memory, tries };
}

/**
 * Remembers which containers did not run when the agent came up after its node started: what they
 * belong to may have been placed elsewhere meanwhile, so they wait until an assignment is
 * confirmed.
 */
export function noteBoot(memory: ConvergeMemory, observed: Observed): ConvergeMemory {
  return { ...memory, exitedAtBoot: observed.containers.filter(one => one.state !== "running").map(one => one.id) };
}
