import type { Clock } from "@skep/kit/clock.ts";

/** How long a workspace has had nothing left to read. */
export interface Quiet {
  /** It counts from now on. */
  begin(): void;
  /** `undefined` where something is left, or nothing can come. */
  ms(): number | undefined;
}

/** What of a workspace that is read says whether something is left. */
export interface Reading {
  /** Messages that were read in all. */
  readonly read: number;
  /** Those that are not stored and acknowledged yet. */
  readonly waiting: number;
  /** Whether the broker can deliver at all. */
  readonly isConnected: boolean;
}

/**
 * Looks each time that it is asked: where nothing was read in between, nothing was left at the
 * broker, which delivers what it has as soon as it may.
 */
export function createQuiet(clock: Pick<Clock, "monotonic">, look: () => Reading | undefined): Quiet {
  let since: number | undefined;
  let seen = -1;

  function ms(): number | undefined {
    const now = look();
    if (now === undefined || now.waiting > 0 || !now.isConnected) {
      since = undefined;
      return undefined;
    }
    if (now.read !== seen) since = undefined;
    seen = now.read;
    since ??= clock.monotonic();
    return clock.monotonic() - since;
  }

  return { begin: () => void (since = undefined), ms };
}
