import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { LogChunk } from "@skep/api/codec/ask-reply.ts";
import { LogStream, StreamLogsResponseSchema } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import type { StreamLogsResponse } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { AgentStream, type StreamFailure } from "./agent-stream.ts";

/**
 * Chunks that wait for a slow reader, per node, before the oldest are dropped and a notice says so.
 */
const MAX_WAITING = 256;

/** Which lines are wanted. */
export interface LogRequest {
  /** `undefined` for all. */
  readonly container: string | undefined;
  readonly tail: number | undefined;
  readonly follow: boolean;
  readonly since: number | undefined;
}

/** What the log streams need. */
export interface LogDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  newId(): string;
}

/**
 * Locations that are worth asking, again and again, until there will be none or `signal` is
 * aborted.
 */
export type Newcomers = (signal: AbortSignal) => AsyncIterable<Location>;

/**
 * Lines of all these locations, merged as they come, and of the newcomers, where there may be some.
 * A newcomer whose lines ended before is asked for what it printed since: its containers may have
 * been started again. A node that does not answer is named in a notice, and the others go on: a
 * partial answer is better than none.
 */
export async function* mergeLogs(
  deps: LogDeps,
  locations: readonly Location[],
  hostnameOf: (nodeId: string) => string,
  request: LogRequest,
  signal: AbortSignal,
  newcomers?: Newcomers,
): AsyncGenerator<StreamLogsResponse> {
  const queue = new Queue();
  const streams = new Map<string, LineStream>();
  const add = (location: Location, wanted: LogRequest): void => {
    const key = `${location.instanceId} ${location.epoch}`;
    const before = streams.get(key);
    if (before?.ended() === false) return;
    open++;
    const rest = before === undefined ? wanted : { ...wanted, since: before.until() };
    streams.set(key, openStream(deps, location, hostnameOf(location.nodeId), rest, queue));
  };
  let open = 0;
  for (const location of locations) add(location, request);
  const over = new AbortController();
  const closeAll = (): void => {
    over.abort();
    for (const stream of streams.values()) stream.close();
  };
  if (newcomers !== undefined) {
    open++;
    // What a newcomer printed before it was found is as new to the reader as the rest.
    const whole = { ...request, tail: undefined, since: undefined };
    void (async () => {
      for await (const location of newcomers(over.signal)) {
        // It was looked for while the reader left: a stream that is opened now would be kept alive
        // for nobody, for ever.
        if (over.signal.aborted) return;
        add(location, whole);
      }
    })().finally(() => queue.put({ kind: "end" }));
  }
  // A reader that leaves while a line waits for it never lets this generator go on: the signal
  // alone tells.
  signal.addEventListener("abort", closeAll, { once: true });
  try {
    while (!signal.aborted) {
      for (const entry of queue.take()) {
        if (entry.kind === "end") open--;
        else yield entry.response;
      }
      if (open === 0 && queue.empty) return;
      await queue.filled();
    }
  } finally {
    closeAll();
  }
}

type Entry = { readonly kind: "end" } | { readonly kind: "response"; readonly response: StreamLogsResponse };

/**
 * What came and was not taken yet. It is bounded: a slow reader loses lines, never the scheduler
 * its memory.
 */
class Queue {
  #entries: Entry[] = [];
  readonly #told = new Set<string>();
  #dropped = 0;
  #wake: (() => void) | undefined;

  get empty(): boolean {
    return this.#entries.length === 0 && this.#dropped === 0;
  }

  put(entry: Entry): void {
    if (entry.kind === "response" && this.#entries.length >= MAX_WAITING) this.#dropped += entry.response.lines.length;
    else this.#entries.push(entry);
    this.#wake?.();
  }

  /** Says why lines are missing, once: a location that is followed is asked again and again. */
  tell(words: string): void {
    if (this.#told.has(words)) return;
    this.#told.add(words);
    this.put(notice(words));
  }

  take(): readonly Entry[] {
    const taken = this.#entries;
    this.#entries = [];
    if (this.#dropped > 0) taken.push(notice(`${this.#dropped} lines were left out because this reader is slow`));
    this.#dropped = 0;
    return taken;
  }

  /**
   * Resolves once there is something; a reader that leaves closes the streams, whose ends are
   * something.
   */
  async filled(): Promise<void> {
    if (!this.empty) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
  }
}

/** What one location prints. */
interface LineStream {
  ended(): boolean;
  /** From when on nothing was read. */
  until(): number;
  close(): void;
}

function openStream(
  { bus, clock, newId }: LogDeps,
  location: Location,
  hostname: string,
  request: LogRequest,
  queue: Queue,
): LineStream {
  const { instanceId, nodeId } = location;
  const streamId = newId();
  const openedAt = clock.now();
  let lastAt: number | undefined;
  const stream = new AgentStream(
    { bus, clock },
    {
      kind: "logs",
      nodeId,
      isKept: request.follow,
      control: stop => ({ kind: "logs-control", streamId, stop }),
      isLast: chunk => chunk.end,
      onChunk: (chunk, isLost) => {
        if (isLost) queue.put(notice(`Some lines of ${instanceId} were lost on the way`));
        for (const { at } of chunk.lines) lastAt = Math.max(lastAt ?? at, at);
        if (chunk.lines.length > 0 || chunk.dropped > 0)
          queue.put({ kind: "response", response: toResponse(chunk, nodeId) });
      },
      onEnd: failure => {
        if (failure !== undefined) queue.tell(wordsFor(failure, instanceId, hostname));
        queue.put({ kind: "end" });
      },
    },
  );
  stream.open({ kind: "logs", streamId, instanceId, ...request });
  return {
    ended: () => stream.ended(),
    until: () => (lastAt === undefined ? openedAt : lastAt + 1),
    close: () => stream.close(),
  };
}

function wordsFor(failure: StreamFailure, instanceId: string, hostname: string): string {
  switch (failure.kind) {
    case "unanswered":
    case "silent":
      return `Node ${hostname} does not answer: the lines of ${instanceId} are missing`;
    case "not-connected":
      return `Node ${hostname} is not connected: the lines of ${instanceId} are missing`;
    case "unreadable":
      return `The answer of node ${hostname} cannot be read: ${failure.words}`;
    case "refused":
      return `The logs of ${instanceId} on node ${hostname}: ${failure.error.message}`;
  }
}

function toResponse(chunk: LogChunk, nodeId: string): StreamLogsResponse {
  return create(StreamLogsResponseSchema, {
    lines: chunk.lines.map(({ stream, at, ...line }) => ({
      ...line,
      nodeId,
      stream: stream === "stderr" ? LogStream.STDERR : LogStream.STDOUT,
      at: timestampFromMs(at),
    })),
    notice: chunk.dropped > 0 ? `${chunk.dropped} lines were left out because the reader is slow` : "",
  });
}

function notice(words: string): Entry {
  return { kind: "response", response: create(StreamLogsResponseSchema, { notice: words }) };
}
