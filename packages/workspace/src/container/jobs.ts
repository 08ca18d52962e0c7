import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";

/** Work that is done again and again (R97). */
export interface Jobs {
  /** Runs it each `everyMs` after it has ended; answers how to stop it. */
  register(run: () => void | Promise<void>, name: string, everyMs: number): () => void;
  /** Ends all of them; resolves when none runs. */
  close(): Promise<void>;
}

/** Makes it. What a job throws is said in the log, and it runs again. */
export function createJobs({ clock, log }: { readonly clock: Clock; readonly log: Log }): Jobs {
  const ending = new AbortController();
  const running = new Set<Promise<void>>();

  async function repeat(
    run: () => void | Promise<void>,
    name: string,
    everyMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      await clock.sleep(everyMs, signal);
      if (signal.aborted) return;
      try {
        await run();
      } catch (error) {
        log.warn("job.failed", "A job of the orchestrator failed, and runs again.", { name, error });
      }
    }
  }

  return {
    register: (run, name, everyMs) => {
      const stopping = new AbortController();
      const signal = AbortSignal.any([stopping.signal, ending.signal]);
      const job = repeat(run, name, everyMs, signal).finally(() => running.delete(job));
      running.add(job);
      return () => stopping.abort();
    },
    close: async () => {
      ending.abort();
      await Promise.all(running);
    },
  };
}
