/// <reference lib="esnext.disposable" preserve="true" />
import type { Log } from "./log.ts";

/** What a service's `main` gets. */
export interface Life {
  /** Whatever `main` opens goes on this stack; at the end it is closed in the reverse order. */
  readonly stack: AsyncDisposableStack;
  /** Aborted when the process is told to end. */
  readonly signal: AbortSignal;
  /** Ends the service from within, as a signal would. */
  readonly stop: () => void;
}

/** How a process ends. */
export interface RunOptions {
  readonly log: Log;
  /** Most time for closing, in ms; Swarm kills after its own grace of 10 s. */
  readonly deadlineMs?: number;
  /** The process; another one only in tests. */
  readonly host?: Host;
}

/** What `run` needs of a process. */
export interface Host {
  on(event: string, handle: (value: unknown) => void): void;
  exit(code: number): void;
}

/**
 * Runs a service: `main` opens everything and returns; the process then lives until SIGTERM or
 * SIGINT, closes what was opened, and exits with 0. It exits with 1 when `main` fails or closing
 * takes longer than the deadline, with 70 after a bug (an exception nobody caught), and at once at
 * the second signal.
 */
export function run(main: (life: Life) => Promise<void>, options: RunOptions): Promise<void> {
  const { log, deadlineMs = 8_000, host = process } = options;
  const ending = new AbortController();
  let code = 0;

  const end = (exitCode: number): void => {
    code ||= exitCode;
    ending.abort();
  };
  for (const name of ["SIGTERM", "SIGINT"]) {
    host.on(name, () => {
      if (ending.signal.aborted) return host.exit(code || 1);
      log.info("process.stopping", `${name} came: closing what is open.`);
      end(0);
    });
  }
  for (const name of ["uncaughtException", "unhandledRejection"]) {
    host.on(name, error => {
      log.error("process.failed", "A bug ended the process: an exception that nobody caught.", { error });
      if (ending.signal.aborted) return host.exit(70);
      end(70);
    });
  }
  return live(main, ending, log, error => end(error === undefined ? 0 : 1)).then(async stack => {
    const late = setTimeout(() => {
      log.error("process.overdue", `Closing took longer than ${deadlineMs} ms: leaving without it.`);
      host.exit(code || 1);
    }, deadlineMs);
    await stack.disposeAsync().catch((error: unknown) => {
      log.error("process.unclean", "Something could not be closed.", { error });
      code ||= 1;
    });
    clearTimeout(late);
    log.info("process.stopped", "Everything is closed.", { code });
    host.exit(code);
  });
}

async function live(
  main: (life: Life) => Promise<void>,
  ending: AbortController,
  log: Log,
  end: (error: unknown) => void,
): Promise<AsyncDisposableStack> {
  const stack = new AsyncDisposableStack();
  const told = new Promise<void>(resolve => {
    ending.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const started = main({ stack, signal: ending.signal, stop: () => end(undefined) }).catch((error: unknown) => {
    if (ending.signal.aborted) return;
    log.error("process.refused", "The service could not start.", { error });
    end(error ?? new Error("main failed"));
  });
  await Promise.race([told, started.then(() => told)]);
  return stack;
}
