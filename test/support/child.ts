import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { createServer } from "node:net";

/** A program under test's control. */
export interface Child {
  readonly process: ChildProcess;
  /** What it wrote so far, both streams together. */
  readonly output: () => string;
  /** Sends a signal (SIGTERM when absent) and waits for the end; SIGKILL after 5 s. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a program; its end, when it comes too early, is for the caller's readiness check to
 * notice.
 */
export function startChild(program: string, args: readonly string[], options: SpawnOptions = {}): Child {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let written = "";
  const keep = (chunk: Buffer): void => {
    written = (written + chunk.toString()).slice(-64 * 1024);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  child.on("error", error => (written += `\n${error.message}`));
  const ended = new Promise<void>(resolve => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  return {
    process: child,
    output: () => written,
    end: async (signal = "SIGTERM") => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const hard = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(hard);
    },
  };
}

/**
 * Where tests look for ports: below those that the system gives to outgoing connections (32768
 * and up on Linux), as one of these took a port between the look and the program that was to
 * listen there.
 */
const PORTS = { first: 20_000, ofOneProcess: 40, processes: 170 };
let looks = 0;

/**
 * A port of the loopback that nobody listens on at this moment. Each process looks in a range of
 * its own, so that two that look at once do not answer the same port.
 * @throws {Error} when the whole range is taken.
 */
export async function freePort(): Promise<number> {
  const first = PORTS.first + (process.pid % PORTS.processes) * PORTS.ofOneProcess;
  for (let tries = 0; tries < PORTS.ofOneProcess; tries += 1) {
    const port = first + (looks++ % PORTS.ofOneProcess);
    if (await isFree(port)) return port;
  }
  throw new Error(`Each port from ${first} to ${first + PORTS.ofOneProcess - 1} is taken; end what listens there.`);
}

/** Whether somebody could listen there. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>(resolve => {
    server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
  });
  if (listens) await new Promise(resolve => server.close(resolve));
  return listens;
}
