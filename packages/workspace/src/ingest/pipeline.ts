import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Random } from "@skep/kit/random.ts";
import type { Delivery, Reader } from "../channel/delivery.ts";
import type { MessageDocument } from "../message.ts";
import type { Database, Events, Processed, Rules } from "../parts.ts";
import type { BatchPolicy } from "./batch.ts";
import { createInsistence } from "./insist.ts";
import { createKeyMaker } from "./key.ts";
import { createQueue } from "./queue.ts";
import { createStoring } from "./storing.ts";
import { createTopicReader } from "./topics.ts";
import { twoAtATime } from "./two-at-a-time.ts";

/** What a pipeline works with. */
export interface PipelinePorts {
  readonly reader: Pick<Reader, "acknowledge" | "isCurrent" | "pause">;
  readonly database: Pick<Database, "store" | "bury" | "recall">;
  readonly rules: Pick<Rules, "process" | "act">;
  readonly events: Pick<Events, "emit">;
  /** Hears of what was stored, as sockets do. */
  readonly stored?: (documents: readonly MessageDocument[]) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Of which workspace, and within which bounds. */
export interface PipelineSettings {
  readonly workspaceId: WorkspaceId;
  readonly batch: BatchPolicy;
  /** Bytes that one message may have; a larger one is a dead letter. */
  readonly maxPayload: number;
  /** Whether this process owns the workspace still: nothing is stored or acknowledged without. */
  readonly mayRead: () => boolean;
}

/** What a pipeline has done; all numbers only grow, but for `waiting`. */
export interface PipelineCounts {
  readonly read: number;
  /** Of those, at QoS 0: the broker does not send them again. */
  readonly unconfirmed: number;
  /** Of those, the ones that waited when the pipeline was closed. */
  readonly lost: number;
  readonly stored: number;
  readonly buried: number;
  readonly repeated: number;
  readonly failures: number;
  /** Batches that had to wait, since the workspace may store no more in a second. */
  readonly throttled: number;
  readonly waiting: number;
}

/** The way of messages from the wire to the socket. */
export interface Pipeline {
  take(delivery: Delivery): void;
  /** Messages that may be stored in a second from now on (R17). */
  limit(perSecond: number | undefined): void;
  counts(): PipelineCounts;
  /** Why the last batch could not be stored; empty where it was. */
  lastError(): string;
  /** Ends without another acknowledgement; what was not acknowledged is delivered again. */
  close(): Promise<void>;
}

const WAITS = "Messages cannot be stored; they wait at the broker.";
const UNTOLD = "Messages are stored, and not all were told of them.";
const LOST = "Messages at QoS 0 waited to be stored when the workspace was closed.";

/**
 * Reads batches, has them typed and judged, stores them, and only then acknowledges and tells of
 * them, in order. While the database is away nothing is acknowledged, so the broker keeps what it
 * could not deliver, and what waits here is bounded.
 */
export function createPipeline(ports: PipelinePorts, settings: PipelineSettings, keys = createKeyMaker()): Pipeline {
  const { reader, clock, random, log } = ports;
  const { workspaceId, mayRead } = settings;
  const [ending, topicOf] = [new AbortController(), createTopicReader()];
  const counts = { read: 0, unconfirmed: 0, lost: 0, stored: 0, buried: 0, repeated: 0, failures: 0 };
  let lastError = "";
  const queue = createQueue(clock, settings.batch, isPaused => reader.pause(isPaused), ending.signal);
  const { owns, insist } = createInsistence(
    { clock, random, mayRead },
    {
      worked: () => void (lastError = ""),
      failed: (error, attempt) => {
        counts.failures += 1;
        lastError = error instanceof Error ? error.message : String(error);
        if (attempt === 1) log.warn("ingest.waits", WAITS, { workspaceId, error });
      },
    },
    ending.signal,
  );

  async function begin(deliveries: readonly Delivery[], judged: () => void): Promise<Processed | undefined> {
    const batch = createStoring(deliveries, { ports, settings, keys, topicOf });
    let processed: Processed | undefined;
    const isStored = await insist(async () => {
      processed = await batch.judge();
      judged();
      const { buried, stored } = await batch.store();
      counts.buried += buried;
      counts.stored += stored;
    });
    return isStored ? processed : undefined;
  }

  async function finish(deliveries: readonly Delivery[], processed: Processed): Promise<boolean> {
    if (!(await owns())) return false;
    reader.acknowledge(deliveries);
    queue.done(deliveries.length);
    counts.repeated += deliveries.filter(one => one.isRepeated).length;
    tellOf(ports, processed, error => {
      counts.failures += 1;
      log.error("ingest.untold", UNTOLD, { workspaceId, error });
    });
    return true;
  }

  // It looks among what is stored for what was delivered before.
  const waits = (batch: readonly Delivery[]): boolean => batch.some(one => keys.prefix(one) !== undefined);
  const running = twoAtATime({ next: queue.next, waits, begin, finish });
  return {
    take: delivery => {
      if (ending.signal.aborted) return;
      counts.read += 1;
      if (delivery.packetId === 0) counts.unconfirmed += 1;
      queue.add(delivery);
    },
    limit: queue.limit,
    counts: () => ({ ...counts, throttled: queue.throttled(), waiting: queue.size() }),
    lastError: () => lastError,
    close: async () => {
      ending.abort();
      await running;
      const lost = queue.clear().filter(one => one.packetId === 0).length;
      counts.lost += lost;
      if (lost > 0) log.warn("ingest.lost", LOST, { workspaceId, lost });
    },
  };
}

/** What fails here changes nothing about what is stored. */
function tellOf(
  { events, rules, stored }: Pick<PipelinePorts, "events" | "rules" | "stored">,
  processed: Processed,
  failed: (error: unknown) => void,
): void {
  try {
    events.emit(processed.events);
    stored?.(processed.documents);
  } catch (error) {
    failed(error);
  }
  // It counts its failures by itself, and the next batch does not wait for a slow webhook.
  rules.act(processed.effects).catch(failed);
}
