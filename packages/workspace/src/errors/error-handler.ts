import type { Clock } from "@skep/kit/clock.ts";
import { hideUrlSecrets } from "@skep/kit/url-secrets.ts";

/** One thing that went wrong; `message` tells no secret. */
export interface Failure {
  /** Where: a part's name, or a stage such as `deploy`. */
  readonly kind: string;
  readonly message: string;
  /** ms since 1970. */
  readonly at: number;
}

/** What went wrong in a container, and how often (R57, R63, R109). */
export interface ErrorHandler {
  record(kind: string, error: unknown): void;
  /** The latest first. */
  last(): readonly Failure[];
  /** Failures in the minute that has just passed, by kind. */
  perMinute(): Readonly<Record<string, number>>;
  clear(): void;
}

const MOST_KEPT = 50;
const WINDOW_MS = 60_000;
const MOST_COUNTED = 10_000;

/** Makes an empty one. */
export function createErrorHandler(clock: Pick<Clock, "now">): ErrorHandler {
  let kept: readonly Failure[] = [];
  let times: { readonly kind: string; readonly at: number }[] = [];
  return {
    record: (kind, error) => {
      const at = clock.now();
      const message = hideUrlSecrets(error instanceof Error ? error.message : String(error));
      kept = [{ kind, message, at }, ...kept].slice(0, MOST_KEPT);
      times = [...times.filter(one => one.at > at - WINDOW_MS), { kind, at }].slice(-MOST_COUNTED);
    },
    last: () => kept,
    perMinute: () => {
      const since = clock.now() - WINDOW_MS;
      const counts: Record<string, number> = {};
      for (const { kind, at } of times) if (at > since) counts[kind] = (counts[kind] ?? 0) + 1;
      return counts;
    },
    clear: () => {
      kept = [];
      times = [];
    },
  };
}
