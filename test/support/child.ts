import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

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

/** A port of the loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
