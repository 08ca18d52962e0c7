import { readFileSync, readSync } from "node:fs";
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
  /** All of standard input. */
  readInput(): string;
  /** Standard input as it is, up to its end or to so many bytes. */
  readBytes(most: number): Uint8Array;
}

/** The process itself. The first Ctrl-C aborts `signal`, so that a command can say where things stand; a second one ends at once. */
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
    readInput: () => readFileSync(0, "utf8"),
    readBytes: readStart,
  };
}

/** An input that never ends must not be read for ever. */
function readStart(most: number): Uint8Array {
  const bytes = new Uint8Array(most);
  let length = 0;
  while (length < most) {
    const read = readSync(0, bytes, length, most - length, null);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
}
