import type { Ask } from "@skep/api/codec/ask.ts";
import { encodeAskReply, type LogLine } from "@skep/api/codec/ask-reply.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Engine } from "../engine/engine.ts";

/** What is asked for. */
export type AskForLogs = Extract<Ask, { kind: "logs" }>;

const CHUNK_LINES = 256;
const CHUNK_BYTES = 64 * 1024;
/**
 * A chunk every 20 ms at most: 3 MB/s, which no reader's connection is ever overrun by. The engine
 * waits meanwhile.
 */
const CHUNK_GAP_MS = 20;
/**
 * Lines are gathered this long, so that a quiet log is seen at once and a loud one costs few
 * messages.
 */
const GATHER_MS = 50;

/**
 * Sends the containers' output to `replyTo` in numbered chunks, the last one marked, until it ends
 * or `signal` is aborted. Nothing piles up and no line is left out: while a chunk waits for its
 * turn the engine is not read.
 */
export async function sendLogs(
  { engine, bus, clock }: { readonly engine: Engine; readonly bus: Bus; readonly clock: Clock },
  ask: AskForLogs,
  replyTo: string,
  containers: readonly ObservedContainer[],
  signal: AbortSignal,
): Promise<void> {
  const { streamId } = ask;
  let gathered: LogLine[] = [];
  let bytes = 0;
  let seq = 0;
  let flushing: Promise<void> | undefined;

  const isFull = (): boolean => gathered.length >= CHUNK_LINES || bytes >= CHUNK_BYTES;

  function publish(end: boolean): void {
    const lines = gathered;
    gathered = [];
    bytes = 0;
    bus.publish(replyTo, encodeAskReply({ kind: "logs", streamId, seq: seq++, lines, end, dropped: 0 }));
  }

  async function flush(): Promise<void> {
    await clock.sleep(isFull() ? CHUNK_GAP_MS : GATHER_MS, signal);
    flushing = undefined;
    if (gathered.length > 0) publish(false);
  }

  async function read(container: ObservedContainer): Promise<void> {
    const request = { follow: ask.follow, tail: ask.tail, sinceAt: ask.since };
    for await (const line of engine.logs(container.id, request, signal)) {
      gathered.push({ instanceId: container.instanceId, container: container.name, ...line });
      bytes += line.text.length;
      flushing ??= flush();
      while (isFull() && !signal.aborted) await (flushing ??= flush());
    }
  }

  await Promise.allSettled(containers.map(read));
  await flushing;
  publish(true);
}
