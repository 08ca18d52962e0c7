import { spawn } from "node:child_process";

/** How {@link run} starts a program. */
export interface RunOptions {
  readonly cwd?: string;
  /**
   * Added to the inherited environment. Anybody on the machine can read it in the process list: no
   * secrets.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to the program's stdin, which is then closed. Secrets go here, never into `argv`. */
  readonly input?: string | Buffer;
  /** Killed and reported as failed after this long. */
  readonly timeoutMs?: number;
}

/** A program that could not be started or ended with another code than 0. */
export class RunError extends Error {
  override readonly name = "RunError";
  /** Exit code; `undefined` when the program never started or was killed. */
  readonly code: number | undefined;
  /** What it wrote to stderr (and stdout when stderr was empty), the last 4 KiB. */
  readonly output: string;
  constructor(message: string, code: number | undefined, output: string) {
    super(message);
    this.code = code;
    this.output = output;
  }
}

/**
 * Runs a program to its end and returns its stdout as text.
 * @throws RunError naming the program, its exit code and the end of what it wrote.
 */
export function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
  const [program, ...args] = argv;
  const settings = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const [file, ...rest] = settings.length === 0 ? argv : (["env", ...settings, ...argv] as const);
  return new Promise((resolve, reject) => {
    const child = spawn(file, rest, {
      cwd: options.cwd,
      stdio: ["pipe", "pipe", "pipe"],
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: "SIGKILL" as const }),
    });
    const out: Buffer[] = [];
    let tail = "";
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => (tail = (tail + chunk.toString()).slice(-4096)));
    child.stdin.on("error", () => undefined); // A program that ends without reading its input is judged by its exit code.
    child.stdin.end(options.input);
    child.on("error", error =>
      reject(new RunError(`${program} could not be started: ${error.message}`, undefined, "")),
    );
    child.on("close", (code, signal) => {
      const text = Buffer.concat(out).toString();
      if (code === 0) return resolve(text);
      const words = tail.trim() === "" ? text.slice(-4096).trim() : tail.trim();
      const ending = code === null ? `was killed by ${signal}` : `ended with code ${code}`;
      reject(new RunError(`${program} ${args[0] ?? ""} ${ending}: ${words}`, code ?? undefined, words));
    });
  });
}
