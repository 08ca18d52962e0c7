import { spawn } from "node:child_process";

/** What a program left behind. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 and the signal where one ended it. */
  readonly code: number;
}

/**
 * Runs a program to its end, whatever its code, with `input` as its standard input. One that runs
 * longer than the deadline is killed.
 * @throws Error where it cannot be started, or was killed.
 */
export function runProgram(argv: readonly string[], input: string, deadlineMs: number): Promise<Ended> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], timeout: deadlineMs, killSignal: "SIGKILL" });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A program that ends without reading its input says why by its code.
    child.stdin.on("error", () => undefined);
    child.on("error", cause => reject(new Error(`${program} cannot be started: ${cause.message}`, { cause })));
    child.on("close", (code, signal) => {
      if (signal === "SIGKILL") reject(new Error(`${program} took longer than ${deadlineMs} ms and was ended.`));
      else
        resolve({
          stdout: Buffer.concat(stdout).toString(),
          stderr: Buffer.concat(stderr).toString(),
          code: code ?? 128,
        });
    });
    child.stdin.end(input);
  });
}
