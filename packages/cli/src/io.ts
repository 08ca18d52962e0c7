import { closeSync, openSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Variables } from "./compose/interpolate.ts";

/** What a command may touch of the world around it; tests give it their own. */
export interface Io {
  readonly env: Variables;
  readonly cwd: string;
  /** Whether a person looks at what is written to `out`. */
  readonly isTty: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Text, or bytes that are passed on as they are. */
  out(text: string | Uint8Array): void;
  err(text: string | Uint8Array): void;
  now(): number;
  /** Resolves early, without an error, when the signal is aborted. */
  sleep(delayMs: number): Promise<void>;
  /**
   * Standard input as text; a Compose file that is larger than this reads is refused for its size.
   */
  readInput(): string;
  /** Standard input as it is, up to its end or to so many bytes. */
  readBytes(most: number): Uint8Array;
}

/** Most bytes of standard input that are read as text. */
const MOST_INPUT = 8_000_000;

/**
 * The process itself. The first Ctrl-C aborts `signal`, so that a command can say where things
 * stand; a second one ends at once.
 */
export function processIo(): Io {
  const aborter = new AbortController();
  process.once("SIGINT", () => aborter.abort());
  process.once("SIGTERM", () => aborter.abort());
  // A reader that has enough (`skep ps | head -1`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 70));
  return {
    env: process.env,
    cwd: process.cwd(),
    isTty: process.stdout.isTTY,
    width: process.stdout.columns ?? 100,
    signal: aborter.signal,
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    now: () => Date.now(),
    sleep: delayMs => sleep(delayMs, undefined, { signal: aborter.signal }).catch(() => undefined),
    readInput: () => Buffer.from(readBytes(0, MOST_INPUT)).toString("utf8"),
    readBytes: most => readBytes(0, most),
  };
}

/**
 * The beginning of a file as text: a device or a pipe may never end. @throws the system's error.
 */
export function readStart(path: string, most: number): string {
  const file = openSync(path, "r");
  try {
    return Buffer.from(readBytes(file, most)).toString("utf8");
  } finally {
    closeSync(file);
  }
}

function readBytes(file: number, most: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let length = 0; length < most;) {
    const part = new Uint8Array(Math.min(65_536, most - length));
    const read = readSync(file, part, 0, part.length, null);
    if (read === 0) break;
    length += read;
    parts.push(part.subarray(0, read));
  }
  return Buffer.concat(parts);
}
