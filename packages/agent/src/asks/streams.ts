import type { SkepError } from "@skep/core/error.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { watchReader, type ReaderWatch } from "./reader-watch.ts";

/** How many streams of a kind there may be, and how long a reader may be silent. */
export interface StreamLimits {
  readonly most: number;
  readonly idleMs: number;
  /** What is said where there are that many already. */
  readonly tooMany: () => SkepError;
}

/** The reader of a stream, by the question that it asked. */
export interface StreamAsk {
  /** Chosen by the reader; the same question again, by whatever way, is the same stream. */
  readonly streamId: string;
  /**
   * Whether the stream ends when its reader is silent: one that ends soon by itself asks for no
   * signs of life.
   */
  readonly isWatched: boolean;
}

interface Open<Part> {
  readonly part: Part;
  readonly stopping: AbortController;
  readonly reader: ReaderWatch | undefined;
}

/**
 * The streams of one kind that schedulers read from this node: begun once each, kept while their
 * reader gives signs of life, and ended by the reader, by its silence, by themselves or with the
 * agent. `Part` is what a kind keeps per stream.
 */
export class Streams<Part> {
  readonly #clock: Clock;
  readonly #limits: StreamLimits;
  readonly #open = new Map<string, Open<Part>>();

  constructor(clock: Clock, limits: StreamLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Whether the stream is open. */
  has(streamId: string): boolean {
    return this.#open.has(streamId);
  }

  /**
   * Begins a stream, which is open until `run` has ended; `signal` says that nobody reads it any
   * more.
   * @throws SkepError `resource_exhausted` with too many open.
   */
  begin(
    { streamId, isWatched }: StreamAsk,
    make: (signal: AbortSignal) => Part,
    run: (part: Part, stopping: AbortController) => Promise<void>,
  ): void {
    if (this.#open.has(streamId)) return;
    if (this.#open.size >= this.#limits.most) throw this.#limits.tooMany();
    const stopping = new AbortController();
    const part = make(stopping.signal);
    const reader = isWatched ? watchReader(this.#clock, this.#limits.idleMs, stopping) : undefined;
    this.#open.set(streamId, { part, stopping, reader });
    void run(part, stopping).finally(() => {
      stopping.abort();
      this.#open.delete(streamId);
    });
  }

  /**
   * A sign of life of the reader, or with `stop` its end; answers what the stream keeps, if it is
   * open.
   */
  control(streamId: string, stop: boolean): Part | undefined {
    const stream = this.#open.get(streamId);
    stream?.reader?.heard();
    if (stop) stream?.stopping.abort();
    return stream?.part;
  }

  /** What an open stream keeps. */
  get(streamId: string): Part | undefined {
    return this.#open.get(streamId)?.part;
  }

  /** Ends all. */
  close(): void {
    for (const { stopping } of this.#open.values()) stopping.abort();
  }
}
