import { create } from "@bufbuild/protobuf";
import type { ExecChunk } from "@skep/api/codec/ask-reply.ts";
import { EXEC_IDLE_MS, EXEC_WINDOW } from "@skep/api/codec/ask.ts";
import type { Ask, ExecWanted } from "@skep/api/codec/ask.ts";
import { ExecInstanceResponseSchema } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import type { ExecInstanceResponse } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { AgentStream, type StreamFailure } from "./agent-stream.ts";

/** The input goes to the agent in parts of this size: no message server takes all of it in one. */
const INPUT_PART_BYTES = 256 * 1024;

/** Where a command runs, for its sentences. */
export interface ExecPlace {
  readonly nodeId: string;
  readonly hostname: string;
}

/**
 * Has the agent of a node run a command, and hands on what it prints and its exit code. Nothing is
 * left out: the agent sends no more than is taken here.
 * @throws SkepError what the agent says, or `unavailable` where it does not answer, falls silent,
 * or output was lost.
 */
export async function* runOnNode(
  deps: { readonly bus: Bus; readonly clock: Clock },
  place: ExecPlace,
  wanted: Omit<ExecWanted, "stdinBytes">,
  stdin: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<ExecInstanceResponse> {
  const stream = new Command(deps, place, wanted.streamId);
  const stop = (): void => stream.close();
  // A reader that leaves while a message waits for it never lets this generator go on: the signal
  // alone tells.
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (signal.aborted) return;
    stream.open({ kind: "exec", ...wanted, stdinBytes: stdin.length }, stdin);
    for (let chunk = await stream.next(); chunk !== undefined; chunk = await stream.next()) {
      for (const { stream: kind, data } of chunk.output)
        yield create(ExecInstanceResponseSchema, { event: { case: kind, value: data } });
      if (chunk.exitCode !== undefined) {
        yield create(ExecInstanceResponseSchema, { event: { case: "exitCode", value: chunk.exitCode } });
        return;
      }
      stream.took(chunk);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

/** One command's chunks, in order, as they are taken. */
class Command {
  readonly #stream: AgentStream<"exec">;
  readonly #place: ExecPlace;
  readonly #streamId: string;
  readonly #chunks: ExecChunk[] = [];
  #failure: SkepError | undefined;
  #closed = false;
  #taken = 0;
  #wake = (): void => undefined;

  constructor(deps: { readonly bus: Bus; readonly clock: Clock }, place: ExecPlace, streamId: string) {
    this.#place = place;
    this.#streamId = streamId;
    this.#stream = new AgentStream(deps, {
      kind: "exec",
      nodeId: place.nodeId,
      isKept: true,
      idleMs: EXEC_IDLE_MS,
      control: stop => ({ kind: "exec-control", streamId, stop, taken: this.#taken }),
      isBehind: () => this.#chunks.length > 0,
      isLast: chunk => chunk.exitCode !== undefined,
      onChunk: (chunk, isLost) => this.#hear(chunk, isLost),
      onEnd: failure => {
        if (failure !== undefined) this.#failure = toError(failure, place.hostname);
        this.#wake();
      },
    });
  }

  open(ask: Extract<Ask, { kind: "exec" }>, stdin: Uint8Array): void {
    const parts: Ask[] = [];
    for (let offset = 0; offset < stdin.length; offset += INPUT_PART_BYTES) {
      const data = stdin.subarray(offset, offset + INPUT_PART_BYTES);
      parts.push({ kind: "exec-input", streamId: this.#streamId, offset, data });
    }
    this.#stream.open(ask, parts);
  }

  /** The next chunk; `undefined` once closed. @throws SkepError why there is none. */
  async next(): Promise<ExecChunk | undefined> {
    while (this.#chunks.length === 0 && this.#failure === undefined && !this.#closed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    const chunk = this.#closed ? undefined : this.#chunks.shift();
    if (chunk === undefined && this.#failure !== undefined) throw this.#failure;
    return chunk;
  }

  /** The reader has everything up to this chunk: the agent may send as much again. */
  took(chunk: ExecChunk): void {
    this.#taken = chunk.seq + 1;
    this.#stream.keepAlive();
  }

  close(): void {
    this.#closed = true;
    this.#stream.close();
    this.#wake();
  }

  #hear(chunk: ExecChunk, isLost: boolean): void {
    if (isLost || this.#chunks.length > EXEC_WINDOW) {
      this.#failure = unreachable(`Output of the command was lost on the way from node ${this.#place.hostname}`);
      this.#stream.close();
      return;
    }
    this.#chunks.push(chunk);
    this.#wake();
  }
}

function toError(failure: StreamFailure, hostname: string): SkepError {
  switch (failure.kind) {
    case "unanswered":
      return unreachable(`Node ${hostname} does not answer, and the command was not seen to start`);
    case "silent":
      return unreachable(`Node ${hostname} fell silent, and the command may run on`);
    case "not-connected":
      return unreachable(`Node ${hostname} is not connected`);
    case "unreadable":
      return unreachable(`The answer of node ${hostname} cannot be read: ${failure.words}`);
    case "refused":
      return failure.error;
  }
}

function unreachable(words: string): SkepError {
  const message = `${words}. Look at the node (skep nodes), and at what the command did, before running it again.`;
  return new SkepError("unavailable", "NODE_UNREACHABLE", message);
}
