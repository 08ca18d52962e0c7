/** Until when a container may run, and whether it was seen not to run since. */
export interface Deadline {
  /** On the monotonic clock of the process that holds it. */
  readonly endAt: number;
  readonly hasEnded: boolean;
}

/** The deadlines of containers, by container id. */
export type Deadlines = ReadonlyMap<string, Deadline>;

/** What is to be done by the deadlines at one moment. */
export interface Due {
  /** The containers that have to end now. */
  readonly toEnd: readonly string[];
  /** Deadlines that still count. */
  readonly kept: Deadlines;
  /** Containers that are given up though nobody saw them end. */
  readonly givenUp: readonly string[];
  /** When to ask again; `undefined` when nothing is left. */
  readonly wakeAt: number | undefined;
}

/** A container that did not end, or that a late request may start, is ended again this often. */
const AGAIN_MS = 1_000;
/** A start that was asked for before the deadline is carried out within this time, or never. */
const LATE_START_MS = 60_000;
/** Without an agent an engine that does not answer is left alone after this time. */
const ORPHAN_MS = 300_000;

/**
 * The copies that have to end by these deadlines, and when to ask again. `isOrphan` says that
 * nobody will renew any of them.
 */
export function due(deadlines: Deadlines, now: number, isOrphan: boolean): Due {
  const kept = new Map<string, Deadline>();
  const [toEnd, givenUp]: [string[], string[]] = [[], []];
  let wakeAt: number | undefined;
  for (const [containerId, deadline] of deadlines) {
    const { endAt, hasEnded } = deadline;
    // The next agent may start the container again, with a guard of its own.
    if (hasEnded && (isOrphan || now >= endAt + LATE_START_MS)) continue;
    if (isOrphan && now >= endAt + ORPHAN_MS) {
      givenUp.push(containerId);
      continue;
    }
    kept.set(containerId, deadline);
    if (endAt <= now) toEnd.push(containerId);
    wakeAt = Math.min(wakeAt ?? Infinity, endAt <= now ? now + AGAIN_MS : endAt);
  }
  return { toEnd, kept, givenUp, wakeAt };
}
