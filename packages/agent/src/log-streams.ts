import { LOGS_IDLE_MS, type Ask } from "@skep/api/codec/ask.ts";
import { encodeAskReply, type LogLine } from "@skep/api/codec/ask-reply.ts";
import { SkepError } from "@skep/core/error.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Engine } from "./engine/engine.ts";

/** Sends what containers print to those who asked for it. */
export interface LogStreams {
  /**
   * Begins a stream of chunks to `replyTo`.
   * @throws SkepError `not_found` for containers that are not here, `resource_exhausted` with too many streams open.
   */
  begin(ask: Ask & { kind: "logs" }, replyTo: string, containers: readonly ObservedContainer[]): void;
  /** A sign of life of the reader, or with `stop` the end. */
  control(streamId: string, stop: boolean): void;
  close(): void;
}

const CHUNK_LINES = 256;
const CHUNK_BYTES = 64 * 1024;
/** A chunk every 20 ms at most: 3 MB/s, which no reader's connection is ever overrun by. The engine waits meanwhile. */
const CHUNK_GAP_MS = 20;
/** Lines are gathered this long, so that a quiet log is seen at once and a loud one costs few messages. */
const GATHER_MS = 50;
const MOST_STREAMS = 32;

interface Stream {
  readonly stopping: AbortController;
  heardAt: number;
}

/** Makes the streams of one agent. */
export function createLogStreams(deps: {
  readonly engine: Engine;
  readonly bus: Bus;
  readonly clock: Clock;
}): LogStreams {
  const { engine, bus, clock } = deps;
  const streams = new Map<string, Stream>();

  async function send(
    ask: Ask & { kind: "logs" },
    replyTo: string,
    containers: readonly ObservedContainer[],
    stream: Stream,
  ): Promise<void> {
    const { signal } = stream.stopping;
    const gathered: LogLine[] = [];
    let [seq, bytes] = [0, 0];
    let flushing: Promise<void> | undefined;

    const publish = (end: boolean): void => {
      const lines = gathered.splice(0);
      bytes = 0;
      bus.publish(
        replyTo,
        encodeAskReply({ kind: "logs", streamId: ask.streamId, seq: seq++, lines, end, dropped: 0 }),
      );
    };
    const full = (): boolean => gathered.length >= CHUNK_LINES || bytes >= CHUNK_BYTES;
    const flush = async (): Promise<void> => {
      await clock.sleep(full() ? CHUNK_GAP_MS : GATHER_MS, signal);
      flushing = undefined;
      if (gathered.length > 0) publish(false);
    };
    const read = async (container: ObservedContainer): Promise<void> => {
      const request = { follow: ask.follow, tail: ask.tail, sinceAt: ask.since };
      for await (const line of engine.logs(container.id, request, signal)) {
        gathered.push({ instanceId: container.instanceId, container: container.name, ...line });
        bytes += line.text.length;
        flushing ??= flush();
        // Not reading on is what slows the engine down: nothing piles up here and no line is left out.
        while (full() && !signal.aborted) await (flushing ??= flush());
      }
    };
    await Promise.allSettled(containers.map(read));
    await flushing;
    publish(true);
  }

  function watchReader(streamId: string, stream: Stream): void {
    const check = (): void => {
      if (stream.stopping.signal.aborted) return;
      const silentMs = clock.monotonic() - stream.heardAt;
      if (silentMs >= LOGS_IDLE_MS) stream.stopping.abort();
      else clock.timer(LOGS_IDLE_MS - silentMs, check);
    };
    const cancel = clock.timer(LOGS_IDLE_MS, check);
    stream.stopping.signal.addEventListener("abort", () => {
      cancel();
      streams.delete(streamId);
    });
  }

  return {
    begin: (ask, replyTo, containers) => {
      const wanted = containers.filter(
        one =>
          one.role === "app" &&
          one.instanceId === ask.instanceId &&
          (ask.container === undefined || one.name === ask.container),
      );
      if (wanted.length === 0) throw noSuchContainer(ask);
      if (streams.size >= MOST_STREAMS) {
        const advice = `This node sends ${MOST_STREAMS} log streams already: end one, or try again later.`;
        throw new SkepError("resource_exhausted", "TOO_MANY_LOG_STREAMS", advice);
      }
      streams.get(ask.streamId)?.stopping.abort();
      const stream: Stream = { stopping: new AbortController(), heardAt: clock.monotonic() };
      streams.set(ask.streamId, stream);
      if (ask.follow) watchReader(ask.streamId, stream);
      void send(ask, replyTo, wanted, stream).finally(() => {
        stream.stopping.abort();
        if (streams.get(ask.streamId) === stream) streams.delete(ask.streamId);
      });
    },
    control: (streamId, stop) => {
      const stream = streams.get(streamId);
      if (stream === undefined) return;
      stream.heardAt = clock.monotonic();
      if (stop) stream.stopping.abort();
    },
    close: () => {
      for (const stream of [...streams.values()]) stream.stopping.abort();
    },
  };
}

function noSuchContainer(ask: Ask & { kind: "logs" }): SkepError {
  const what = ask.container === undefined ? "no container" : `no container ${ask.container}`;
  return new SkepError(
    "not_found",
    "NO_SUCH_CONTAINER",
    `This node has ${what} of instance ${ask.instanceId}: it has moved, or was never started here. Ask again where it runs now.`,
  );
}
