import { decodeAskReply, type AskReply } from "@skep/api/codec/ask-reply.ts";
import { encodeAsk, type Ask } from "@skep/api/codec/ask.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";

/** The kinds of answers that come as a stream of numbered chunks. */
export type StreamKind = "logs" | "exec";

/** One chunk of such a stream. */
export type ChunkOf<K extends StreamKind> = Extract<AskReply, { kind: K }> & { readonly seq: number };

/** Why a stream ended before its last chunk. */
export type StreamFailure =
  /** The first chunk did not come in time. */
  | { readonly kind: "unanswered" }
  /** No chunk came for longer than an agent may be silent. */
  | { readonly kind: "silent" }
  /** The message server says that nobody listens there. */
  | { readonly kind: "not-connected" }
  | { readonly kind: "unreadable"; readonly words: string }
  | { readonly kind: "refused"; readonly error: Extract<AskReply, { kind: "error" }>["error"] };

/** What a stream is made from. */
export interface AgentStreamOptions<K extends StreamKind> {
  readonly kind: K;
  readonly nodeId: string;
  /** The question that keeps the stream alive, or ends it. */
  readonly control: (stop: boolean) => Ask;
  /** Whether the agent wants signs of life of its reader. */
  readonly isKept: boolean;
  /**
   * Longest silence of the agent between chunks; absent where it only speaks when there is
   * something.
   */
  readonly idleMs?: number;
  /** Whether chunks wait here for the reader: the agent may then be silent because of us. */
  readonly isBehind?: () => boolean;
  readonly isLast: (chunk: ChunkOf<K>) => boolean;
  /**
   * Takes the next chunk; `isLost` says that others are missing before it. One that came before is
   * left out.
   */
  readonly onChunk: (chunk: ChunkOf<K>, isLost: boolean) => void;
  /** Called once: after the last chunk, after a failure, or when it is closed. */
  readonly onEnd: (failure: StreamFailure | undefined) => void;
}

/** An agent that has not sent its first chunk by then counts as missing. */
const FIRST_CHUNK_MS = 5_000;
/** How often an agent is told that somebody still reads; it stops after 30 s without. */
const KEEP_ALIVE_MS = 10_000;

/**
 * A stream of chunks from one agent: asked for, kept alive, given up when it is silent, and
 * stopped.
 */
export class AgentStream<K extends StreamKind> {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #options: AgentStreamOptions<K>;
  #nextSeq = 0;
  #ended = false;
  #closeReplies = (): void => undefined;
  #cancelSilence = (): void => undefined;
  #cancelKeeping = (): void => undefined;

  constructor(deps: { readonly bus: Bus; readonly clock: Clock }, options: AgentStreamOptions<K>) {
    this.#bus = deps.bus;
    this.#clock = deps.clock;
    this.#options = options;
  }

  /** Asks the agent; `more` follows the question at once. */
  open(ask: Ask, more: readonly Ask[] = []): void {
    const inbox = this.#bus.inbox();
    const replies = this.#bus.subscribe(inbox, message => this.#hear(message.data));
    this.#closeReplies = () => replies.close();
    this.#expect(FIRST_CHUNK_MS, { kind: "unanswered" });
    this.#tell(ask, inbox);
    for (const one of more) this.#tell(one);
    if (this.#options.isKept) this.#keep();
  }

  /** Whether nothing more will come. */
  ended(): boolean {
    return this.#ended;
  }

  /** Gives the agent a sign of life now. */
  keepAlive(): void {
    if (!this.#ended) this.#tell(this.#options.control(false));
  }

  /** Tells the agent to stop, unless it has ended. */
  close(): void {
    this.#stop(undefined);
  }

  #hear(data: Uint8Array): void {
    if (this.#ended) return;
    if (data.length === 0) return this.#stop({ kind: "not-connected" });
    try {
      this.#take(decodeAskReply(data));
    } catch (error) {
      this.#stop({ kind: "unreadable", words: error instanceof Error ? error.message : String(error) });
    }
  }

  #take(reply: AskReply): void {
    const { idleMs, onChunk, isLast } = this.#options;
    // An agent that says why has stopped by itself.
    if (reply.kind === "error") return this.#end({ kind: "refused", error: reply.error });
    if (!this.#isChunk(reply)) return;
    this.#cancelSilence();
    if (idleMs !== undefined) this.#expect(idleMs, { kind: "silent" });
    if (reply.seq < this.#nextSeq) return;
    const isLost = reply.seq > this.#nextSeq;
    this.#nextSeq = reply.seq + 1;
    onChunk(reply, isLost);
    if (!this.#ended && isLast(reply)) this.#end(undefined);
  }

  #isChunk(reply: AskReply): reply is ChunkOf<K> {
    return reply.kind === this.#options.kind;
  }

  #expect(withinMs: number, otherwise: StreamFailure): void {
    this.#cancelSilence();
    this.#cancelSilence = this.#clock.timer(withinMs, () => {
      if (this.#options.isBehind?.() === true) this.#expect(withinMs, otherwise);
      else this.#stop(otherwise);
    });
  }

  #keep(): void {
    this.#cancelKeeping = this.#clock.timer(KEEP_ALIVE_MS, () => {
      this.keepAlive();
      this.#keep();
    });
  }

  #tell(ask: Ask, replyTo?: string): void {
    const subject = nodeSubject("ask", this.#options.nodeId);
    this.#bus.publish(subject, encodeAsk(ask), replyTo === undefined ? {} : { replyTo });
  }

  #stop(failure: StreamFailure | undefined): void {
    if (this.#ended) return;
    this.#tell(this.#options.control(true));
    this.#end(failure);
  }

  #end(failure: StreamFailure | undefined): void {
    this.#ended = true;
    this.#closeReplies();
    this.#cancelSilence();
    this.#cancelKeeping();
    this.#options.onEnd(failure);
  }
}
