import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Delivery, Reader } from "../channel/delivery.ts";
import type { DeadLetter, Message } from "../message.ts";
import type { Database, Processed, Rules } from "../parts.ts";
import type { KeyMaker } from "./key.ts";
import { processAll } from "./process-all.ts";
import { rescue } from "./rescue.ts";
import { storedMeanwhile } from "./stored-meanwhile.ts";
import type { TopicReader } from "./topics.ts";

/** A batch on its way into the database, which may be tried again and again. */
export interface Storing {
  /** Gives its messages their keys and has them typed and judged, the first time. */
  judge(): Promise<Processed>;
  /** Stores what was judged. Rejects where it is to be tried again. */
  store(): Promise<{ readonly stored: number; readonly buried: number }>;
}

/** What it works with. */
export interface StoringContext {
  readonly ports: {
    readonly reader: Pick<Reader, "isCurrent">;
    readonly database: Pick<Database, "store" | "bury" | "recall">;
    readonly rules: Pick<Rules, "process">;
    readonly clock: Clock;
  };
  readonly settings: {
    readonly workspaceId: WorkspaceId;
    readonly maxPayload: number;
    readonly mayRead: () => boolean;
  };
  readonly keys: KeyMaker;
  readonly topicOf: TopicReader;
}

/**
 * Among so many of the latest messages an earlier delivery is looked for: packet ids come again.
 */
const RECALL_WITHIN = 60_000;
/** A process that was stopped as it looked would store beside who owns the workspace since. */
const NOT_OURS = "the workspace is not this process's any more";
const NONE: ReadonlySet<string> = new Set();

/** Makes it for what was delivered. */
export function createStoring(deliveries: readonly Delivery[], context: StoringContext): Storing {
  const { ports, settings, keys } = context;
  let [sorted, processed]: [Sorted?, Processed?] = [];
  let attempts = 0;

  /** While it waited, the broker may have given it to another owner. */
  function leftOut(own: readonly { readonly _id: string }[]): Promise<ReadonlySet<string>> {
    const earlier = deliveries.filter(one => !ports.reader.isCurrent(one));
    const ids = own.map(one => one._id);
    return storedMeanwhile(ports.database, keys, earlier, ids, RECALL_WITHIN);
  }

  return {
    judge: async () => {
      // Once only: keys stay, and what the rules remember counts each message once.
      sorted ??= await sort(deliveries, context);
      return (processed ??= processAll(ports.rules, sorted.messages, ports.clock.now()));
    },
    store: async () => {
      const { documents = [], dead = [] } = processed ?? {};
      const letters = [...(sorted?.letters ?? []), ...dead];
      attempts += 1;
      const left = attempts === 1 ? NONE : await leftOut([...documents, ...letters]);
      if (!settings.mayRead()) throw new Error(NOT_OURS);
      const [kept, refused] = [without(documents, left), without(letters, left)];
      const buried = await rescue(ports.database, kept, refused);
      return { buried, stored: kept.length + refused.length - buried };
    },
  };
}

function without<T extends { readonly _id: string }>(all: readonly T[], left: ReadonlySet<string>): readonly T[] {
  return left.size === 0 ? all : all.filter(one => !left.has(one._id));
}

interface Sorted {
  readonly messages: readonly Message[];
  readonly letters: readonly DeadLetter[];
}

/** Messages of devices, with their keys, and what is none. */
async function sort(given: readonly Delivery[], { ports, settings, keys, topicOf }: StoringContext): Promise<Sorted> {
  const { database, clock, reader } = ports;
  const { workspaceId, maxPayload } = settings;
  const deliveries = given.map(one => asDelivered(one, reader));
  const prefixes = deliveries.flatMap(one => keys.prefix(one) ?? []);
  const known = prefixes.length === 0 ? undefined : await database.recall(prefixes, RECALL_WITHIN);
  const messages: Message[] = [];
  const letters: DeadLetter[] = [];
  const receivedAt = clock.now();
  for (const delivery of deliveries) {
    const key = known?.get(keys.prefix(delivery) ?? "") ?? keys.fresh(delivery, receivedAt);
    const topic = topicOf(delivery.topic);
    const because = whyDead(delivery, topic?.workspaceId === workspaceId, maxPayload);
    if (topic !== undefined && because === undefined)
      messages.push({ key, topic, payload: delivery.payload, receivedAt });
    else
      letters.push({
        _id: key,
        topic: delivery.topic,
        payload: delivery.payload.subarray(0, maxPayload),
        receivedAt: new Date(receivedAt),
        because: because ?? "",
      });
  }
  return { messages, letters };
}

/** What waited until its connection ended may have been delivered to another owner meanwhile. */
function asDelivered(delivery: Delivery, reader: Pick<Reader, "isCurrent">): Delivery {
  return delivery.isRepeated || reader.isCurrent(delivery) ? delivery : { ...delivery, isRepeated: true };
}

function whyDead({ topic, payload }: Delivery, isOurs: boolean, maxPayload: number): string | undefined {
  if (!isOurs) return `"${topic.slice(0, 200)}" is no topic of a device of this workspace`;
  if (payload.length <= maxPayload) return undefined;
  return `it has ${payload.length} bytes, and ${maxPayload} are the most; the first ${maxPayload} are kept`;
}
