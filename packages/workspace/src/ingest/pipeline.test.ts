import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { afterEach, describe, expect, it } from "vitest";
import type { Delivery } from "../channel/delivery.ts";
import type { Message, MessageDocument, WorkspaceEvent } from "../message.ts";
import type { Processed } from "../parts.ts";
import { createTwinDatabase } from "../testing/twin-database.ts";
import { createPipeline, type Pipeline } from "./pipeline.ts";

const TOPIC = "acme/devices/d1/telemetry/location";
const open: Pipeline[] = [];
afterEach(() => Promise.all(open.splice(0).map(one => one.close())));

function deliveryOf(packetId: number, more: Partial<Delivery> = {}): Delivery {
  return {
    ...{ topic: TOPIC, payload: Buffer.from(`{"n":${packetId}}`), connection: 1, packetId },
    ...{ isRepeated: false, senderId: undefined, ...more },
  };
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
function begin(most = 3, mostPerSecond?: number) {
  const clock = createVirtualClock(1_000);
  const database = createTwinDatabase();
  const did: string[] = [];
  const acknowledged: number[] = [];
  const emitted: WorkspaceEvent[] = [];
  const acted: Processed["effects"][] = [];
  let mayRead = true;
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
  const seen = { isPaused: () => isPaused, processed: () => calls };
  return { clock, database, did, acknowledged, emitted, acted, log, pipeline, own, fail, ...seen };
}

describe("a pipeline", () => {
  it("waits 5 ms for a batch, and not for a full one", async () => {
    const { clock, pipeline, database } = begin();
    pipeline.take(deliveryOf(1));
    await clock.advance(4);
    expect(database.stored.size).toBe(0);
    await clock.advance(1);
    expect(database.stored.size).toBe(1);
    for (const id of [2, 3, 4]) pipeline.take(deliveryOf(id));
    await clock.advance(0);
    expect(database.stored.size).toBe(4);
  });

  it("stores before it acknowledges, and tells sockets last", async () => {
    const { clock, pipeline, did, acknowledged, emitted } = begin();
    for (const id of [1, 2, 3]) pipeline.take(deliveryOf(id));
    await clock.advance(10);
    expect(did).toEqual(["store", "acknowledge", "emit"]);
    expect(acknowledged).toEqual([1, 2, 3]);
    expect(emitted).toHaveLength(3);
  });

  it("acknowledges nothing while the database is away, and stores nothing twice when it is back", async () => {
    const { clock, pipeline, database, acknowledged, log } = begin();
    database.before = () => Promise.reject(new Error("no primary"));
    for (const id of [1, 2]) pipeline.take(deliveryOf(id));
    await clock.advance(20_000);
    expect([acknowledged, pipeline.lastError()]).toEqual([[], "no primary"]);
    expect(log.lines.filter(one => one.event === "ingest.waits")).toHaveLength(1);
    // It writes, and the answer is lost.
    let lost = 1;
    database.before = () => undefined;
    database.after = () => {
      if (lost-- > 0) throw new Error("the answer is lost");
    };
    await clock.advance(20_000);
    expect([acknowledged, database.stored.size, pipeline.lastError()]).toEqual([[1, 2], 2, ""]);
  });

  it("stores and acknowledges nothing while the workspace is not its own", async () => {
    const { clock, pipeline, database, acknowledged, own } = begin();
    own(false);
    pipeline.take(deliveryOf(1));
    await clock.advance(1_000);
    expect([database.stored.size, acknowledged]).toEqual([0, []]);
    own(true);
    await clock.advance(100);
    expect([database.stored.size, acknowledged]).toEqual([1, [1]]);
  });

  it("acknowledges nothing that it stored just before it lost the workspace", async () => {
    const { clock, pipeline, database, acknowledged, own } = begin();
    database.after = () => own(false);
    pipeline.take(deliveryOf(1));
    await clock.advance(1_000);
    expect([database.stored.size, acknowledged]).toEqual([1, []]);
  });

  it("stores a message once that is delivered again, by it or by the next owner", async () => {
    const { clock, pipeline, database, acknowledged } = begin();
    pipeline.take(deliveryOf(7));
    await clock.advance(10);
    pipeline.take(deliveryOf(7, { connection: 2, isRepeated: true }));
    await clock.advance(10);
    expect([database.stored.size, acknowledged]).toEqual([1, [7, 7]]);
  });

  it("stores two messages that are alike twice", async () => {
    const { clock, pipeline, database } = begin();
    for (const id of [1, 2]) pipeline.take(deliveryOf(id, { payload: Buffer.from("same") }));
    // The number comes again once it was acknowledged.
    await clock.advance(10);
    pipeline.take(deliveryOf(1, { payload: Buffer.from("same") }));
    await clock.advance(10);
    expect(database.stored.size).toBe(3);
  });

  it("stores a message that comes again and was not stored, whatever is like it", async () => {
    const { clock, pipeline, database } = begin();
    const same = { payload: Buffer.from("same") };
    pipeline.take(deliveryOf(1, same));
    await clock.advance(10);
    pipeline.take(deliveryOf(2, { ...same, connection: 2, isRepeated: true }));
    pipeline.take(deliveryOf(1, { payload: Buffer.from("other"), connection: 2, isRepeated: true }));
    await clock.advance(10);
    expect(database.stored.size).toBe(3);
  });

  it("judges and buries once what it tries again", async () => {
    const { clock, pipeline, database, processed } = begin();
    const { bury } = database;
    let lost = 1;
    database.bury = async letters => {
      await bury(letters);
      if (lost-- > 0) throw new Error("the answer is lost");
    };
    pipeline.take(deliveryOf(1));
    pipeline.take(deliveryOf(2, { topic: "acme/anything" }));
    await clock.advance(20_000);
    expect([database.stored.size, database.buried.size, processed()]).toEqual([1, 1, 1]);
  });

  it("stores a message once whose sender numbers what it sends", async () => {
    const { clock, pipeline, database } = begin();
    const payload = Buffer.from("same");
    for (const id of [1, 2]) pipeline.take(deliveryOf(id, { senderId: "m-1", payload }));
    // One that begins to count anew sends other messages by the same number.
    pipeline.take(deliveryOf(4, { senderId: "m-1" }));
    pipeline.take(deliveryOf(3, { senderId: "m-1", topic: TOPIC.replace("d1", "d2") }));
    await clock.advance(10);
    expect(database.stored.size).toBe(3);
  });

  it("forgets what waits when the broker sends it again by a new connection", async () => {
    const { clock, pipeline, database, acknowledged } = begin();
    database.before = () => Promise.reject(new Error("no primary"));
    for (const id of [1, 2, 3, 4]) pipeline.take(deliveryOf(id));
    await clock.advance(10);
    pipeline.take(deliveryOf(0, { packetId: 0, payload: Buffer.from("at QoS 0") }));
    for (const id of [1, 2, 3, 4]) pipeline.take(deliveryOf(id, { connection: 2, isRepeated: true }));
    database.before = () => undefined;
    await clock.advance(20_000);
    expect(database.stored.size).toBe(5);
    expect(acknowledged.slice(-4)).toEqual([1, 2, 3, 4]);
    expect(pipeline.counts().waiting).toBe(0);
  });

  it("keeps what waits where the broker has lost the session and does not send it again", async () => {
    const { clock, pipeline, database } = begin();
    database.before = () => Promise.reject(new Error("no primary"));
    for (const id of [1, 2, 3, 4, 5]) pipeline.take(deliveryOf(id));
    await clock.advance(10);
    for (const id of [4, 5]) {
      const payload = Buffer.from("another by the same number");
      pipeline.take(deliveryOf(id, { connection: 2, payload, isRepeated: id === 4 }));
    }
    database.before = () => undefined;
    await clock.advance(20_000);
    // By the same numbers, and alike but for the topic, or wholly.
    pipeline.take(deliveryOf(3, { connection: 2, topic: TOPIC.replace("d1", "d2"), isRepeated: true }));
    pipeline.take(deliveryOf(2, { connection: 2 }));
    await clock.advance(1_000);
    expect(database.stored.size).toBe(9);
  });

  it("stores once what waits and comes again in the same batch", async () => {
    const { clock, pipeline, database, acknowledged } = begin(10);
    database.before = () => Promise.reject(new Error("no primary"));
    pipeline.take(deliveryOf(1));
    await clock.advance(10);
    for (const id of [2, 3]) pipeline.take(deliveryOf(id));
    for (const id of [1, 2, 3]) pipeline.take(deliveryOf(id, { connection: 2, isRepeated: true }));
    database.before = () => undefined;
    await clock.advance(20_000);
    expect([database.stored.size, acknowledged]).toEqual([3, [1, 1, 2, 3]]);
  });

  it("stores once what comes again while it is being stored", async () => {
    const { clock, pipeline, database, acknowledged } = begin(10);
    database.before = () => Promise.reject(new Error("no primary"));
    pipeline.take(deliveryOf(1));
    await clock.advance(10);
    pipeline.take(deliveryOf(2));
    pipeline.take(deliveryOf(9, { connection: 2 }));
    let answer = (): void => undefined;
    let calls = 0;
    database.before = () => (++calls < 2 ? undefined : new Promise<void>(resolve => (answer = resolve)));
    await clock.advance(10_000);
    pipeline.take(deliveryOf(2, { connection: 2, isRepeated: true }));
    database.before = () => undefined;
    answer();
    await clock.advance(1_000);
    expect([database.stored.size, acknowledged]).toEqual([3, [1, 2, 9, 2]]);
  });

  it("begins a batch at once that waited while the one before was stored", async () => {
    const { clock, pipeline, database } = begin();
    let answer = (): void => undefined;
    database.before = () => new Promise<void>(resolve => (answer = resolve));
    pipeline.take(deliveryOf(1));
    await clock.advance(5);
    pipeline.take(deliveryOf(2));
    await clock.advance(5);
    answer();
    database.before = () => undefined;
    await clock.advance(0);
    expect(database.stored.size).toBe(2);
  });

  it("gives a batch its time that began while the one before was stored", async () => {
    const { clock, pipeline, database } = begin();
    let answer = (): void => undefined;
    database.before = () => new Promise<void>(resolve => (answer = resolve));
    pipeline.take(deliveryOf(1));
    await clock.advance(10);
    pipeline.take(deliveryOf(2));
    await clock.advance(1);
    database.before = () => undefined;
    answer();
    await clock.advance(3);
    expect(database.stored.size).toBe(1);
    await clock.advance(1);
    expect(database.stored.size).toBe(2);
  });

  it("reads nothing more from the wire while eight megabytes wait", async () => {
    const { clock, pipeline, database, isPaused } = begin();
    database.before = () => Promise.reject(new Error("no primary"));
    const payload = Buffer.alloc(2 ** 22);
    pipeline.take(deliveryOf(1, { payload }));
    expect(isPaused()).toBe(false);
    pipeline.take(deliveryOf(2, { payload }));
    expect(isPaused()).toBe(true);
    database.before = () => undefined;
    await clock.advance(20_000);
    expect([isPaused(), database.buried.size]).toEqual([false, 2]);
  });

  it("stores no more in a second than the workspace may, and holds back what sends it", async () => {
    const { clock, pipeline, acknowledged, isPaused } = begin(10, 20);
    for (let id = 1; id <= 40; id += 1) pipeline.take(deliveryOf(id));
    await clock.advance(10);
    expect([acknowledged.length, isPaused()]).toEqual([20, false]);
    for (let id = 41; id <= 60; id += 1) pipeline.take(deliveryOf(id));
    expect(isPaused()).toBe(true);
    await clock.advance(1_000);
    expect(acknowledged).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
    expect(pipeline.counts().throttled).toBeGreaterThan(0);
    await clock.advance(1_000);
    expect([acknowledged.length, isPaused()]).toEqual([60, false]);
  });

  it("buries a message at which the rules fail, and goes on", async () => {
    const { clock, pipeline, database, acknowledged } = begin(10);
    for (const id of [1, 2, 3]) pipeline.take(deliveryOf(id, { topic: TOPIC.replace("d1", id === 2 ? "odd" : "d1") }));
    await clock.advance(10);
    expect([database.stored.size, acknowledged]).toEqual([2, [1, 2, 3]]);
    expect([...database.buried.values()].map(one => one.because)).toEqual(["the rules failed at it: odd"]);
  });

  it("goes on where sockets or actions cannot be told", async () => {
    const { clock, pipeline, database, fail } = begin();
    fail();
    pipeline.take(deliveryOf(1));
    await clock.advance(10);
    pipeline.take(deliveryOf(2));
    await clock.advance(10);
    expect([database.stored.size, pipeline.counts().failures]).toEqual([2, 4]);
  });

  it("counts what it lost at QoS 0", async () => {
    const { clock, pipeline, log } = begin();
    for (const id of [1, 0, 0]) pipeline.take(deliveryOf(id));
    const closing = pipeline.close();
    await clock.advance(10);
    await closing;
    expect(pipeline.counts()).toMatchObject({ read: 3, unconfirmed: 2, lost: 2, waiting: 0 });
    expect(log.lines.map(one => one.event)).toEqual(["ingest.lost"]);
  });

  it("reads nothing more from the wire while four batches wait", async () => {
    const { clock, pipeline, database, isPaused } = begin();
    database.before = () => Promise.reject(new Error("no primary"));
    for (let id = 1; id <= 11; id += 1) pipeline.take(deliveryOf(0));
    expect(isPaused()).toBe(false);
    pipeline.take(deliveryOf(0));
    expect(isPaused()).toBe(true);
    database.before = () => undefined;
    await clock.advance(20_000);
    expect(isPaused()).toBe(false);
  });

  it("buries what has a foreign topic, is too large, or can never be stored, and goes on", async () => {
    const { clock, pipeline, database, acknowledged } = begin(10);
    database.refuses = one => (one.deviceId === "bad" ? "a key has a NUL" : undefined);
    pipeline.take(deliveryOf(1, { topic: "globex/devices/d1/telemetry/location" }));
    pipeline.take(deliveryOf(2, { topic: "acme/anything" }));
    pipeline.take(deliveryOf(3, { payload: Buffer.alloc(101, "x") }));
    pipeline.take(deliveryOf(4, { topic: TOPIC.replace("d1", "bad") }));
    pipeline.take(deliveryOf(5));
    await clock.advance(10);
    expect(acknowledged).toEqual([1, 2, 3, 4, 5]);
    expect([...database.buried.values()].map(one => one.because.slice(0, 30))).toEqual([
      '"globex/devices/d1/telemetry/l',
      '"acme/anything" is no topic of',
      "it has 101 bytes, and 100 are ",
      "a key has a NUL",
    ]);
    expect([...database.buried.values()][2]!.payload).toHaveLength(100);
    expect(database.stored.size).toBe(1);
    expect(pipeline.counts()).toMatchObject({ read: 5, stored: 1, buried: 4, failures: 0, waiting: 0 });
  });

  it("acknowledges nothing after it was closed", async () => {
    const { clock, pipeline, acknowledged } = begin();
    pipeline.take(deliveryOf(1));
    const closing = pipeline.close();
    await clock.advance(10);
    await closing;
    pipeline.take(deliveryOf(2));
    await clock.advance(10);
    expect([acknowledged, pipeline.counts().read]).toEqual([[], 1]);
  });
});
