import { LOGS_IDLE_MS, type Ask } from "@skep/api/codec/ask.ts";
import { SkepError } from "@skep/core/error.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Engine } from "../engine/engine.ts";
import { sendLogs } from "./log-chunks.ts";
import { watchReader, type ReaderWatch } from "./reader-watch.ts";

/** What is asked for. */
export type AskForLogs = Extract<Ask, { kind: "logs" }>;

const MOST_STREAMS = 32;

interface Stream {
  readonly stopping: AbortController;
  readonly reader: ReaderWatch;
}

/** Sends what containers print to those who asked for it. */
export class LogStreams {
  readonly #deps: { readonly engine: Engine; readonly bus: Bus; readonly clock: Clock };
  readonly #streams = new Map<string, Stream>();

  constructor(deps: { readonly engine: Engine; readonly bus: Bus; readonly clock: Clock }) {
    this.#deps = deps;
  }

  /**
   * Begins a stream of chunks to `replyTo`.
   * @throws SkepError `not_found` for containers that are not here, `resource_exhausted` with too many streams open.
   */
  begin(ask: AskForLogs, replyTo: string, containers: readonly ObservedContainer[]): void {
    const wanted = containers.filter(one => isWanted(one, ask));
    if (wanted.length === 0) throw noSuchContainer(ask);
    if (this.#streams.size >= MOST_STREAMS) {
      const advice = `This node sends ${MOST_STREAMS} log streams already: end one, or try again later.`;
      throw new SkepError("resource_exhausted", "TOO_MANY_LOG_STREAMS", advice);
    }
    this.#streams.get(ask.streamId)?.stopping.abort();
    const stopping = new AbortController();
    // Only who follows is asked for signs of life: what there is already is soon sent.
    const watch = ask.follow ? watchReader(this.#deps.clock, LOGS_IDLE_MS, stopping) : { heard: () => undefined };
    const stream: Stream = { stopping, reader: watch };
    this.#streams.set(ask.streamId, stream);
    void sendLogs(this.#deps, ask, replyTo, wanted, stream.stopping.signal).finally(() => {
      stream.stopping.abort();
      if (this.#streams.get(ask.streamId) === stream) this.#streams.delete(ask.streamId);
    });
  }

  /** A sign of life of the reader, or with `stop` the end. */
  control(streamId: string, stop: boolean): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.reader.heard();
    if (stop) stream.stopping.abort();
  }

  /** Ends all streams. */
  close(): void {
    for (const stream of this.#streams.values()) stream.stopping.abort();
  }
}

function isWanted(container: ObservedContainer, ask: AskForLogs): boolean {
  const { role, instanceId, name } = container;
  return role === "app" && instanceId === ask.instanceId && (ask.container === undefined || name === ask.container);
}

function noSuchContainer(ask: AskForLogs): SkepError {
  const what = ask.container === undefined ? "no container" : `no container ${ask.container}`;
  return new SkepError(
    "not_found",
    "NO_SUCH_CONTAINER",
    `This node has ${what} of instance ${ask.instanceId}: it has moved, or was never started here. Ask again where it runs now.`,
  );
}
