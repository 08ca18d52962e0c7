import type { Clock } from "@skep/kit/clock.ts";
import type { ChangeHints } from "./deps.ts";

/** One step of a watch. */
export type Step<T> =
  | { readonly kind: "updated"; readonly item: T }
  | { readonly kind: "deleted"; readonly id: string }
  | { readonly kind: "snapshot-complete" };

/**
 * What a watch reads: each item under its id, with text or bytes that differ whenever the item
 * does.
 */
export interface Snapshot<T> {
  readonly items: ReadonlyMap<string, { readonly item: T; readonly print: string }>;
}

/** Reads of one watcher are at least this far apart, however many hints come. */
export const WATCH_GAP_MS = 250;
/** And at most this far, though no hint came. */
export const WATCH_PERIOD_MS = 2_000;

/**
 * Everything that is there first, then each change, until `signal` is aborted. It compares what it
 * reads with what it has sent, so that a lost hint delays a change and never hides one.
 */
export async function* watch<T>(
  options: { readonly clock: Clock; readonly hints: ChangeHints; readonly signal: AbortSignal },
  read: () => Promise<Snapshot<T>>,
): AsyncGenerator<Step<T>> {
  const { clock, signal } = options;
  const bell = createBell(options.hints, signal);
  const sent = new Map<string, string>();
  let first = true;
  try {
    while (!signal.aborted) {
      bell.quiet();
      const startedAt = clock.monotonic();
      const { items } = await read();
      for (const [id, { item, print }] of items) {
        if (sent.get(id) === print) continue;
        sent.set(id, print);
        yield { kind: "updated", item };
      }
      for (const id of sent.keys()) {
        if (items.has(id)) continue;
        sent.delete(id);
        yield { kind: "deleted", id };
      }
      if (first) yield { kind: "snapshot-complete" };
      first = false;
      await clock.sleep(startedAt + WATCH_GAP_MS - clock.monotonic(), signal);
      await bell.rung(clock, startedAt + WATCH_PERIOD_MS - clock.monotonic());
    }
  } finally {
    bell.close();
  }
}

/** Remembers that a hint came until somebody waits for one. */
interface Bell {
  quiet(): void;
  rung(clock: Clock, mostMs: number): Promise<void>;
  close(): void;
}

/** Makes a bell of change hints, which is gone when `signal` is aborted. */
export function createBell(hints: ChangeHints, signal: AbortSignal): Bell {
  let rang = false;
  let wake: (() => void) | undefined;
  const subscription = hints.subscribe(() => {
    rang = true;
    wake?.();
  });
  // A reader that leaves in the middle of a message never lets its generator end: the signal alone
  // tells.
  signal.addEventListener("abort", () => subscription.close(), { once: true });
  return {
    quiet: () => (rang = false),
    rung: async (clock, mostMs) => {
      if (rang || mostMs <= 0) return;
      const waiting = new AbortController();
      wake = () => waiting.abort();
      await clock.sleep(mostMs, AbortSignal.any([waiting.signal, signal]));
      wake = undefined;
    },
    close: () => subscription.close(),
  };
}
