import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Guard, Watched } from "./guard.ts";
import { machineMs } from "./message.ts";

/** A guard that does not answer within this time is ended, and another one is started. */
const ANSWER_MS = 5_000;
/** After a pause of the agent the time may be over while the answer is there, but not read yet. */
const READ_MS = 100;

/** What waits for one answer of the guard. */
interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * A guard in a process of its own. It is started when something is to be watched for the first
 * time, and again by the next call after its end. It has a session of its own, so that no signal
 * for the agent's group reaches it, and none of the agent's environment.
 */
export function createChildGuard(deps: {
  readonly program: string;
  readonly args: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}): Guard {
  const { program, args, clock, log } = deps;
  const waiting = new Map<number, Waiting>();
  let child: ChildProcess | undefined;
  let isClosed = false;
  let seq = 0;

  function start(): ChildProcess {
    const begun = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], detached: true, env: {} });
    const end = (why: string): void => {
      if (child === begun) child = undefined;
      if (!isClosed) log.warn("guard.exited", `The guard has ended: ${why}.`, { pid: begun.pid });
      for (const one of waiting.values()) one.reject(new Error(`the guard has ended: ${why}`));
      waiting.clear();
    };
    begun.once("error", error => end(error.message));
    begun.once("exit", (code, signal) => end(signal ?? `exit code ${code}`));
    // A pipe that breaks is told by the end of the process.
    begun.stdin?.on("error", () => undefined);
    if (begun.stdout !== null) {
      createInterface({ input: begun.stdout }).on("line", line => {
        waiting.get(Number(line))?.resolve();
        waiting.delete(Number(line));
      });
    }
    log.info("guard.started", "A guard of the exclusive copies runs.", { pid: begun.pid });
    return begun;
  }

  function send(copies: readonly Watched[]): Promise<void> {
    const to = (child ??= start());
    const mine = ++seq;
    return new Promise((resolve, reject) => {
      const cancel = clock.timer(ANSWER_MS, () => void clock.timer(READ_MS, giveUp));
      waiting.set(mine, {
        resolve: () => (cancel(), resolve()),
        reject: error => (cancel(), reject(error)),
      });
      function giveUp(): void {
        if (waiting.has(mine)) to.kill("SIGKILL");
      }
      // The time of the message is read first: a pause after it makes the message older.
      const at = machineMs();
      const now = clock.monotonic();
      const told = copies.map(({ containerId, until }) => ({ containerId, inMs: until - now }));
      to.stdin?.write(`${JSON.stringify({ seq: mine, at, copies: told })}\n`);
    });
  }

  return {
    watch: async copies => {
      if (isClosed || (child === undefined && copies.length === 0)) return;
      await send(copies);
    },
    close: () => {
      isClosed = true;
      child?.stdin?.end();
      child?.unref();
    },
  };
}
