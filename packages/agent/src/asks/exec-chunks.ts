import { encodeAskReply, type ExecOutput } from "@skep/api/codec/ask-reply.ts";
import { EXEC_WINDOW } from "@skep/api/codec/ask.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { ExecEvent } from "../engine/engine.ts";

const CHUNK_BYTES = 64 * 1024;
/**
 * Output is gathered this long, so that it is seen at once and a chatty command costs few messages.
 */
const GATHER_MS = 20;
/**
 * A command that prints nothing is said to run each so often, so that its reader can tell it from a
 * node that is gone.
 */
const STILL_RUNS_MS = 10_000;

/**
 * How many chunks may be sent: no output is left out, so a slow reader makes the engine wait, and
 * with it the command.
 */
export interface Window {
  /** The reader has taken so many chunks in all. */
  taken(chunks: number): void;
  /** Whether chunk `seq` may be sent now. */
  isOpen(seq: number): boolean;
  /** Resolves once chunk `seq` may be sent, or the signal is aborted. */
  room(seq: number): Promise<void>;
}

/** Makes a window, open for the first chunks. */
export function createWindow(signal: AbortSignal): Window {
  let limit = EXEC_WINDOW;
  let wake = (): void => undefined;
  signal.addEventListener("abort", () => wake());
  return {
    taken: chunks => {
      limit = Math.max(limit, chunks + EXEC_WINDOW);
      wake();
    },
    isOpen: seq => seq < limit,
    room: async seq => {
      while (seq >= limit && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
    },
  };
}

/** Where the chunks go. */
export interface ExecWire {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly streamId: string;
  readonly replyTo: string;
  readonly window: Window;
}

/**
 * Sends a command's output in numbered chunks, the first at once to say that it begins and the last
 * with its exit code.
 * @throws what the command throws; nothing is sent once `signal` is aborted.
 */
export async function sendOutput(
  { bus, clock, streamId, replyTo, window }: ExecWire,
  run: () => AsyncIterable<ExecEvent>,
  signal: AbortSignal,
): Promise<void> {
  let gathered: ExecOutput[] = [];
  let bytes = 0;
  let seq = 0;
  let flushing: Promise<void> | undefined;
  let cancelStill = (): void => undefined;

  function publish(exitCode?: number): void {
    if (signal.aborted) return;
    const output = gathered;
    gathered = [];
    bytes = 0;
    bus.publish(replyTo, encodeAskReply({ kind: "exec", streamId, seq: seq++, output, exitCode }));
    cancelStill();
    if (exitCode === undefined) cancelStill = clock.timer(STILL_RUNS_MS, sayItRuns);
  }

  /** A reader that has not taken what it got yet needs no more signs of life. */
  function sayItRuns(): void {
    if (flushing === undefined && window.isOpen(seq)) publish();
    else cancelStill = clock.timer(STILL_RUNS_MS, sayItRuns);
  }

  async function flush(waitMs: number): Promise<void> {
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    await window.room(seq);
    flushing = undefined;
    publish();
  }

  async function add(stream: ExecOutput["stream"], data: Uint8Array): Promise<void> {
    gathered.push({ stream, data });
    bytes += data.length;
    flushing ??= flush(GATHER_MS);
    while (bytes >= CHUNK_BYTES && !signal.aborted) await (flushing ??= flush(0));
  }

  try {
    publish();
    let exitCode: number | undefined;
    for await (const event of run()) {
      if (event.kind === "exit") exitCode = event.code;
      else
        for (let at = 0; at < event.data.length; at += CHUNK_BYTES)
          await add(event.stream, event.data.subarray(at, at + CHUNK_BYTES));
    }
    await flushing;
    await window.room(seq);
    if (exitCode !== undefined) publish(exitCode);
  } finally {
    // What a command printed before it failed is sent before the failure.
    await flushing;
    cancelStill();
  }
}
