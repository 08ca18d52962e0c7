import { create } from "@bufbuild/protobuf";
import type { AskReply, ExecChunk } from "@skep/api/codec/ask-reply.ts";
import { decodeAskReply } from "@skep/api/codec/ask-reply.ts";
import { EXEC_IDLE_MS, EXEC_WINDOW, encodeAsk } from "@skep/api/codec/ask.ts";
import type { Ask, ExecWanted } from "@skep/api/codec/ask.ts";
import { ExecInstanceResponseSchema } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import type { ExecInstanceResponse } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";

/** An agent that has not said that it begins by then counts as missing. */
const FIRST_CHUNK_MS = 5_000;
/** How often the agent is told that somebody still reads, though nothing was taken. */
const KEEP_ALIVE_MS = 10_000;
/** The input goes to the agent in parts of this size: no message server takes all of it in one. */
const INPUT_PART_BYTES = 256 * 1024;

/** Where a command runs, for its sentences. */
export interface ExecPlace {
  readonly nodeId: string;
  readonly hostname: string;
}

/**
 * Has the agent of a node run a command, and hands on what it prints and its exit code. Nothing is left out: the agent
 * sends no more than is taken here.
 * @throws SkepError what the agent says, or `unavailable` where it does not answer, falls silent, or output was lost.
 */
export async function* runOnNode(
  deps: { readonly bus: Bus; readonly clock: Clock },
  place: ExecPlace,
  wanted: Omit<ExecWanted, "stdinBytes">,
  stdin: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<ExecInstanceResponse> {
  const stream = new ExecStream(deps, place, wanted.streamId);
  const stop = (): void => stream.close();
  // A reader that leaves while a message waits for it never lets this generator go on: the signal alone tells.
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
class ExecStream {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #place: ExecPlace;
  readonly #streamId: string;
  readonly #chunks: ExecChunk[] = [];
  #failure: SkepError | undefined;
  #ended = false;
  #closed = false;
  #taken = 0;
  #nextSeq = 0;
  #wake = (): void => undefined;
  #closeReplies = (): void => undefined;
  #cancelSilence = (): void => undefined;
  #cancelKeeping = (): void => undefined;

  constructor({ bus, clock }: { readonly bus: Bus; readonly clock: Clock }, place: ExecPlace, streamId: string) {
    [this.#bus, this.#clock, this.#place, this.#streamId] = [bus, clock, place, streamId];
  }

  open(ask: Extract<Ask, { kind: "exec" }>, stdin: Uint8Array): void {
    const inbox = this.#bus.inbox();
    const replies = this.#bus.subscribe(inbox, message => this.#hear(message.data));
    this.#closeReplies = () => replies.close();
    this.#expect(FIRST_CHUNK_MS, `Node ${this.#place.hostname} does not answer, and the command was not seen to start`);
    this.#tell(ask, inbox);
    for (let offset = 0; offset < stdin.length; offset += INPUT_PART_BYTES) {
      const data = stdin.subarray(offset, offset + INPUT_PART_BYTES);
      this.#tell({ kind: "exec-input", streamId: this.#streamId, offset, data });
    }
    this.#keep();
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
    this.#control(false);
  }

  close(): void {
    if (this.#closed) return;
    if (!this.#ended) this.#control(true);
    this.#closed = true;
    this.#closeReplies();
    this.#cancelSilence();
    this.#cancelKeeping();
    this.#wake();
  }

  #hear(data: Uint8Array): void {
    if (this.#ended) return;
    try {
      // The message server says so itself where nobody listens.
      if (data.length === 0) this.#fail(unreachable(`Node ${this.#place.hostname} is not connected`));
      else this.#take(decodeAskReply(data));
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      this.#fail(unreachable(`The answer of node ${this.#place.hostname} cannot be read: ${words}`));
    }
  }

  #take(reply: AskReply): void {
    if (reply.kind === "error") this.#fail(reply.error);
    if (reply.kind !== "exec") return;
    // What came already is not printed twice.
    if (reply.seq < this.#nextSeq) return;
    if (reply.seq > this.#nextSeq || this.#chunks.length > EXEC_WINDOW) {
      this.#fail(unreachable(`Output of the command was lost on the way from node ${this.#place.hostname}`));
      return;
    }
    this.#nextSeq++;
    this.#chunks.push(reply);
    if (reply.exitCode === undefined) {
      this.#expect(EXEC_IDLE_MS, `Node ${this.#place.hostname} fell silent, and the command may run on`);
    } else this.#end();
    this.#wake();
  }

  #expect(withinMs: number, otherwise: string): void {
    this.#cancelSilence();
    this.#cancelSilence = this.#clock.timer(withinMs, () => {
      // An agent whose output waits for a slow reader here has nothing to say.
      if (this.#chunks.length > 0) this.#expect(withinMs, otherwise);
      else this.#fail(unreachable(otherwise));
    });
  }

  #keep(): void {
    this.#cancelKeeping = this.#clock.timer(KEEP_ALIVE_MS, () => {
      this.#control(false);
      this.#keep();
    });
  }

  #control(stop: boolean): void {
    if (!this.#closed && !this.#ended)
      this.#tell({ kind: "exec-control", streamId: this.#streamId, stop, taken: this.#taken });
  }

  #tell(ask: Ask, replyTo?: string): void {
    const subject = nodeSubject("ask", this.#place.nodeId);
    this.#bus.publish(subject, encodeAsk(ask), replyTo === undefined ? {} : { replyTo });
  }

  #fail(error: SkepError): void {
    if (this.#ended) return;
    this.#failure = error;
    // An agent that lost its way is told to stop; one that said why has stopped.
    this.#control(true);
    this.#end();
    this.#wake();
  }

  #end(): void {
    this.#ended = true;
    this.#cancelSilence();
    this.#cancelKeeping();
  }
}

function unreachable(words: string): SkepError {
  const message = `${words}. Look at the node (skep nodes), and at what the command did, before running it again.`;
  return new SkepError("unavailable", "NODE_UNREACHABLE", message);
}
