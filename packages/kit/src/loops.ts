import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Random } from "./random.ts";
import { retryDelay, type Backoff } from "./retry.ts";
import { createWake, type Wake, type WakeTimes } from "./wake.ts";

/** How one loop is doing. */
export interface LoopState {
  readonly name: string;
  /** Why and since when (ms since the epoch) it fails; absent while it works. */
  readonly failing?: { readonly sinceAt: number; readonly failures: number; readonly error: string };
}

/** Follows one thing through failures: one line when they begin, one when they end. */
export interface Outage {
  /** It failed; answers how long to wait before it is tried again, in ms. */
  failed(error: unknown): number;
  succeeded(): void;
  /** It is over: it has no state any more. */
  close(): void;
}

/** What an outage says in the log, for a loop whose failure means something of its own. */
export interface OutageWords {
  readonly failed: { readonly event: string; readonly level: "warn" | "error"; readonly sentence: string };
  readonly recovered: { readonly event: string; readonly sentence: string };
}

/** How an outage is said and how long it waits between tries. */
export interface OutageOptions {
  readonly words?: OutageWords;
  readonly retry?: Backoff;
}

/**
 * The loops of one process: each is made here, so that their states stand in one place. A health
 * page or a status call reads `states`.
 */
export interface Loops {
  /**
   * Makes a loop around `run`, as `createWake` does. A run that throws is tried again after the
   * retry's delay. The first failure and the recovery are logged once each.
   */
  begin(name: string, run: () => Promise<void>, times: WakeTimes & OutageOptions): Wake;
  /** Follows work that has a rhythm of its own and may fail. */
  watch(name: string, options?: OutageOptions): Outage;
  /** The loops that are open, in the order of their names. */
  states(): readonly LoopState[];
}

const BACKOFF: Backoff = { baseMs: 50, maxMs: 1_000 };

/** Makes it, without any loop. */
export function createLoops(ports: { readonly clock: Clock; readonly log: Log; readonly random: Random }): Loops {
  const open = new Set<() => LoopState>();

  function watch(name: string, options: OutageOptions = {}): Outage {
    const { clock, log, random } = ports;
    const { words = wordsFor(name), retry = BACKOFF } = options;
    let began: { readonly at: number; readonly ms: number } | undefined;
    let failures = 0;
    let last = "";
    const state = (): LoopState =>
      began === undefined ? { name } : { name, failing: { sinceAt: began.at, failures, error: last } };
    open.add(state);
    return {
      failed: error => {
        if (began === undefined) {
          began = { at: clock.now(), ms: clock.monotonic() };
          log[words.failed.level](words.failed.event, words.failed.sentence, { loop: name, error });
        }
        failures += 1;
        last = error instanceof Error ? error.message : String(error);
        return retryDelay(failures, random, retry);
      },
      succeeded: () => {
        if (began === undefined) return;
        const awayMs = Math.round(clock.monotonic() - began.ms);
        log.info(words.recovered.event, words.recovered.sentence, { loop: name, failures, awayMs });
        began = undefined;
        failures = 0;
      },
      close: () => void open.delete(state),
    };
  }

  return {
    watch,
    begin: (name, run, { words, retry, ...times }) => {
      const outage = watch(name, { ...(words && { words }), ...(retry && { retry }) });
      const runOnce = async (): Promise<void> => {
        await run();
        outage.succeeded();
      };
      const wake = createWake(runOnce, times, ports.clock, error => outage.failed(error));
      return {
        hint: () => wake.hint(),
        at: time => wake.at(time),
        close: async () => {
          await wake.close();
          outage.close();
        },
      };
    },
    states: () => [...open].map(state => state()).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function wordsFor(name: string): OutageWords {
  return {
    failed: {
      event: "loop.failed",
      level: "warn",
      sentence: `The ${name} loop failed and tries again until it works.`,
    },
    recovered: { event: "loop.recovered", sentence: `The ${name} loop works again.` },
  };
}
