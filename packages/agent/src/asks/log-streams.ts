import { LOGS_IDLE_MS } from "@skep/api/codec/ask.ts";
import { SkepError } from "@skep/core/error.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Engine } from "../engine/engine.ts";
import { sendLogs, type AskForLogs } from "./log-chunks.ts";
import { Streams } from "./streams.ts";

const MOST_STREAMS = 32;

/** Sends what containers print to those who asked for it. */
export class LogStreams {
  readonly #deps: { readonly engine: Engine; readonly bus: Bus; readonly clock: Clock };
  readonly #streams: Streams<undefined>;

  constructor(deps: { readonly engine: Engine; readonly bus: Bus; readonly clock: Clock }) {
    this.#deps = deps;
    this.#streams = new Streams(deps.clock, { most: MOST_STREAMS, idleMs: LOGS_IDLE_MS, tooMany });
  }

  /**
   * Begins a stream of chunks to `replyTo`.
   * @throws SkepError `not_found` for containers that are not here, `resource_exhausted` with too
   * many streams open.
   */
  begin(ask: AskForLogs, replyTo: string, containers: readonly ObservedContainer[]): void {
    const wanted = containers.filter(one => isWanted(one, ask));
    if (wanted.length === 0) throw noSuchContainer(ask);
    // Only a reader that follows is asked for signs of life: a mere read soon ends.
    const stream = { streamId: ask.streamId, isWatched: ask.follow };
    this.#streams.begin(
      stream,
      () => undefined,
      (_, { signal }) => sendLogs(this.#deps, ask, replyTo, wanted, signal),
    );
  }

  /** A sign of life of the reader, or with `stop` the end. */
  control(streamId: string, stop: boolean): void {
    this.#streams.control(streamId, stop);
  }

  /** Ends all streams. */
  close(): void {
    this.#streams.close();
  }
}

function tooMany(): SkepError {
  const advice = `This node sends ${MOST_STREAMS} log streams already: end one, or try again later.`;
  return new SkepError("resource_exhausted", "TOO_MANY_LOG_STREAMS", advice);
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
    `This node has ${what} of instance ${ask.instanceId}: it is not made yet, or has moved. \`skep ps\` says where it is, and what it waits for.`,
  );
}
