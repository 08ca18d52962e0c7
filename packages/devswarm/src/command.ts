import { spawn } from "node:child_process";

/** What a finished child process left behind. `code` is 128 + signal when a signal ended it. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/**
 * How to run a command: bytes for its standard input, its whole environment (ours when absent), its
 * working directory.
 */
export interface CommandOptions {
  readonly input?: string | Buffer;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** A command that could not run or ended with a code other than zero; carries all it wrote. */
export class CommandError extends Error {
  readonly argv: readonly string[];
  readonly result: CommandResult;

  constructor(argv: readonly string[], result: CommandResult) {
    const said = (result.stderr.trim() || result.stdout.trim()).slice(-2000);
    super(`\`${argv.join(" ")}\` ended with code ${result.code}: ${said || "it said nothing"}`);
    this.name = "CommandError";
    this.argv = argv;
    this.result = result;
  }

  /** What the command wrote to its standard error. */
  get stderr(): string {
    return this.result.stderr;
  }
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/**
 * Runs a command to its end, whatever its exit code. Rejects with a `CommandError` (code 127) when
 * it cannot be started.
 */
export function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...rest] = argv;
  if (program === undefined) throw new TypeError("There is no command to run: argv is empty.");
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      stdio: ["pipe", "pipe", "pipe"],
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A child that ends without reading its input makes the pipe fail; its exit code says the rest.
    child.stdin.on("error", () => undefined);
    child.on("error", cause => {
      reject(new CommandError(argv, { stdout: "", stderr: cause.message, code: 127 }));
    });
    child.on("close", (code, signal) => {
      const ended = code ?? 128 + (signalNumbers[signal ?? ""] ?? 0);
      resolve({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), code: ended });
    });
    child.stdin.end(options.input ?? "");
  });
}

/**
 * Runs a command that must succeed and returns its standard output. Throws `CommandError`
 * otherwise.
 */
export async function runOk(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.code !== 0) throw new CommandError(argv, result);
  return result.stdout;
}
