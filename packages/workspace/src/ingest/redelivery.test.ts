import { describe, expect, it } from "vitest";
import type { MessageDocument } from "../message.ts";
import { createKeyMaker } from "./key.ts";
import { begin, deliveryOf, TOPIC } from "./testing/pipeline-rig.ts";

function documentOf(key: string): MessageDocument {
  const at = new Date(0);
  return { _id: key, deviceId: "d1", category: "telemetry", type: "location", at, receivedAt: at, value: 0 };
}

describe("a pipeline to which a broker delivers again", () => {
  it("stores a message once that is delivered again, by it or by the next owner", async () => {
    const { clock, pipeline, database, acknowledged } = begin();
    pipeline.take(deliveryOf(7));
    await clock.advance(10);
    pipeline.take(deliveryOf(7, { connection: 2, isRepeated: true }));
    await clock.advance(10);
    expect([database.stored.size, acknowledged]).toEqual([1, [7, 7]]);
  });

  it("looks for an earlier delivery once it is stored that is being stored", async () => {
    const { clock, pipeline, database, acknowledged } = begin();
    const answers: (() => void)[] = [];
    database.before = () => new Promise<void>(resolve => void answers.push(resolve));
    pipeline.take(deliveryOf(7));
    await clock.advance(10);
    pipeline.take(deliveryOf(7, { connection: 2, isRepeated: true }));
    await clock.advance(10);
    for (let answered = 0; answered < 2; answered += 1) {
      answers[answered]?.();
      await clock.advance(10);
    }
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

  it("stores a message that comes again by the number of an older one of a session before", async () => {
    const { clock, pipeline, database } = begin();
    pipeline.take(deliveryOf(1));
    await clock.advance(10);
    pipeline.take(deliveryOf(1, { connection: 2, subscriptionId: 2, isRepeated: true }));
    await clock.advance(10);
    expect(database.stored.size).toBe(2);
  });

  it("stores nothing that another owner stored while the workspace was not its own", async () => {
    const { clock, pipeline, database, acknowledged, disconnect } = begin(1);
    database.before = () => Promise.reject(new Error("no primary"));
    // Two have their keys already, as they were tried; the third waits behind them.
    for (const id of [1, 2, 3]) pipeline.take(deliveryOf(id));
    await clock.advance(10);
    disconnect();
    database.before = () => undefined;
    const other = createKeyMaker("other");
    for (const id of [1, 2, 3]) await database.store([documentOf(other.fresh(deliveryOf(id), 2_000))]);
    await clock.advance(10_000);
    expect([database.stored.size, acknowledged]).toEqual([3, [1, 2, 3]]);
  });

  it("stores and counts what waited by a connection that has ended, where nobody else stored it", async () => {
    const { clock, pipeline, database, disconnect } = begin(1);
    let isLost = true;
    database.after = () => {
      if (isLost) throw new Error("the answer is lost");
    };
    for (const id of [1, 2]) pipeline.take(deliveryOf(id));
    await clock.advance(10);
    disconnect();
    isLost = false;
    await clock.advance(10_000);
    expect([database.stored.size, pipeline.counts().stored]).toEqual([2, 2]);
  });

  it("rather stores twice what comes again from a broker that names no subscription", async () => {
    const { clock, pipeline, database } = begin();
    pipeline.take(deliveryOf(1, { subscriptionId: 0 }));
    await clock.advance(10);
    pipeline.take(deliveryOf(1, { connection: 2, subscriptionId: 0, isRepeated: true }));
    await clock.advance(10);
    expect(database.stored.size).toBe(2);
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
    // By the same numbers, and alike but for the topic, or wholly.
    pipeline.take(deliveryOf(4, { connection: 2, topic: TOPIC.replace("d1", "d2"), isRepeated: true }));
    pipeline.take(deliveryOf(5, { connection: 2 }));
    database.before = () => undefined;
    await clock.advance(20_000);
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

  it("counts the bytes of what comes again once", async () => {
    const { clock, pipeline, database, isPaused } = begin();
    database.before = () => Promise.reject(new Error("no primary"));
    pipeline.take(deliveryOf(1));
    await clock.advance(10);
    const payload = Buffer.alloc(5 * 2 ** 20);
    pipeline.take(deliveryOf(2, { payload }));
    pipeline.take(deliveryOf(2, { payload, connection: 2, isRepeated: true }));
    expect([isPaused(), pipeline.counts().waiting]).toEqual([false, 2]);
  });
});
