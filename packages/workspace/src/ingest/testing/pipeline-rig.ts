import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { afterEach } from "vitest";
import type { Delivery } from "../../channel/delivery.ts";
import { messageDigest } from "../../message-digest.ts";
import type { Message, MessageDocument, WorkspaceEvent } from "../../message.ts";
import type { Processed } from "../../parts.ts";
import { createTwinDatabase } from "../../testing/twin-database.ts";
import { createPipeline, type Pipeline } from "../pipeline.ts";

/** Of a device of the workspace. */
export const TOPIC = "acme/devices/d1/telemetry/location";
const open: Pipeline[] = [];
afterEach(() => Promise.all(open.splice(0).map(one => one.close())));

/** A message as a broker delivers it. */
export function deliveryOf(packetId: number, more: Partial<Delivery> = {}): Delivery {
  const delivery = {
    ...{ topic: TOPIC, payload: Buffer.from(`{"n":${packetId}}`), connection: 1, packetId },
    ...{ isRepeated: false, senderId: undefined, subscriptionId: 1, ...more },
  };
  return { ...delivery, digest: messageDigest(delivery.topic, delivery.payload, delivery.senderId) };
}

function processed(messages: readonly Message[]): Processed {
  return {
    documents: messages.map(({ key, topic, receivedAt }): MessageDocument => ({
      ...{ _id: key, deviceId: topic.deviceId, category: topic.category, type: topic.type },
      ...{ at: new Date(receivedAt), receivedAt: new Date(receivedAt), value: key },
    })),
    dead: [],
    effects: [],
    events: messages.map(one => ({ topic: one.topic.deviceId, data: one.key, at: one.receivedAt })),
  };
}

/** A pipeline with twins, and what it did in its order. */
export function begin(most = 3, mostPerSecond?: number) {
  const clock = createVirtualClock(1_000);
  const database = createTwinDatabase();
  const did: string[] = [];
  const acknowledged: number[] = [];
  const emitted: WorkspaceEvent[] = [];
  const acted: Processed["effects"][] = [];
  let mayRead = true;
  let connection = 1;
  let isPaused = false;
  let fails = false;
  let calls = 0;
  const { store } = database;
  database.store = async documents => {
    await store(documents);
    did.push("store");
  };
  const log = createRecordingLog();
  const pipeline = createPipeline(
    {
      reader: {
        acknowledge: all => {
          did.push("acknowledge");
          acknowledged.push(...all.map(one => one.packetId));
        },
        pause: wanted => void (isPaused = wanted),
        isCurrent: one => one.connection >= connection,
      },
      rules: {
        process: messages => {
          const odd = messages.find(one => one.topic.deviceId === "odd");
          if (odd !== undefined) throw new Error("odd");
          calls += 1;
          return processed(messages);
        },
        act: async effects => {
          if (fails) throw new Error("no actions");
          acted.push(effects);
        },
      },
      events: {
        emit: all => {
          if (fails) throw new Error("no sockets");
          did.push("emit");
          emitted.push(...all);
        },
      },
      ...{ database, clock, log, random: () => 0.5 },
    },
    {
      workspaceId: "acme",
      batch: { most, waitMs: 5, ...(mostPerSecond === undefined ? {} : { mostPerSecond }) },
      maxPayload: 100,
      mayRead: () => mayRead,
    },
  );
  open.push(pipeline);
  const own = (wanted: boolean): void => void (mayRead = wanted);
  const fail = (): void => void (fails = true);
  const disconnect = (): void => void (connection += 1);
  const seen = { isPaused: () => isPaused, processed: () => calls };
  return { clock, database, did, acknowledged, emitted, acted, log, pipeline, own, fail, disconnect, ...seen };
}
