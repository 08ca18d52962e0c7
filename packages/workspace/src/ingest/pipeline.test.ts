import { describe, expect, it } from "vitest";
import type { TwinDatabase } from "../testing/twin-database.ts";
import { begin, deliveryOf, TOPIC } from "./testing/pipeline-rig.ts";

/** Has each store wait for its answer. */
function holdStores(database: TwinDatabase): (() => void)[] {
  const answers: (() => void)[] = [];
  database.before = () => new Promise<void>(resolve => void answers.push(resolve));
  return answers;
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

  it("stores nothing where it lost the workspace while it looked for an earlier delivery", async () => {
    const { clock, pipeline, database, acknowledged, own } = begin();
    const { recall } = database;
    database.recall = async (prefixes, within) => {
      own(false);
      return recall(prefixes, within);
    };
    pipeline.take(deliveryOf(1, { isRepeated: true }));
    await clock.advance(1_000);
    expect([database.stored.size, acknowledged]).toEqual([0, []]);
    own(true);
    await clock.advance(1_000);
    expect([database.stored.size, acknowledged]).toEqual([1, [1]]);
  });

  it("acknowledges nothing that it stored just before it lost the workspace", async () => {
    const { clock, pipeline, database, acknowledged, own } = begin();
    database.after = () => own(false);
    pipeline.take(deliveryOf(1));
    await clock.advance(1_000);
    expect([database.stored.size, acknowledged]).toEqual([1, []]);
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

  it("stores one batch while it judges the next, and begins no third one", async () => {
    const { clock, pipeline, database, processed, acknowledged } = begin();
    const answers = holdStores(database);
    for (const id of [1, 2, 3, 4, 5, 6, 7]) pipeline.take(deliveryOf(id));
    await clock.advance(10);
    expect([answers.length, processed(), acknowledged]).toEqual([2, 2, []]);
    answers[0]?.();
    await clock.advance(10);
    expect([answers.length, processed(), acknowledged]).toEqual([3, 3, [1, 2, 3]]);
    for (const answer of answers) answer();
  });

  it("acknowledges in order, whichever batch is stored first", async () => {
    const { clock, pipeline, database, acknowledged } = begin();
    const answers = holdStores(database);
    for (const id of [1, 2, 3, 4]) pipeline.take(deliveryOf(id));
    await clock.advance(10);
    answers[1]?.();
    await clock.advance(10);
    expect([database.stored.size, acknowledged]).toEqual([1, []]);
    answers[0]?.();
    await clock.advance(0);
    expect(acknowledged).toEqual([1, 2, 3, 4]);
  });

  it("acknowledges nothing of a later batch where one before it was not finished", async () => {
    const { clock, pipeline, database, acknowledged, own } = begin();
    const answers = holdStores(database);
    for (const id of [1, 2, 3, 4]) pipeline.take(deliveryOf(id));
    await clock.advance(10);
    answers[1]?.();
    own(false);
    const closing = pipeline.close();
    answers[0]?.();
    await clock.advance(10);
    await closing;
    expect(acknowledged).toEqual([]);
  });

  it("judges in order, though one batch has to look for earlier deliveries", async () => {
    const { clock, pipeline, database, emitted } = begin();
    const { recall } = database;
    let found = (): void => undefined;
    database.recall = async (...asked) => {
      await new Promise<void>(resolve => (found = resolve));
      return recall(...asked);
    };
    pipeline.take(deliveryOf(1, { isRepeated: true }));
    for (const id of [2, 3, 4]) pipeline.take(deliveryOf(id, { topic: TOPIC.replace("d1", `d${id}`) }));
    await clock.advance(10);
    expect(database.stored.size).toBe(0);
    found();
    await clock.advance(10);
    expect(emitted.map(one => one.topic)).toEqual(["d1", "d2", "d3", "d4"]);
  });

  it("is closed once nothing is being stored any more", async () => {
    const { clock, pipeline, database } = begin();
    const answers = holdStores(database);
    pipeline.take(deliveryOf(1));
    await clock.advance(10);
    let isClosed = false;
    const closing = pipeline.close().then(() => (isClosed = true));
    await clock.advance(10);
    expect(isClosed).toBe(false);
    answers[0]?.();
    await closing;
  });

  it("gives a batch its time that began while the one before was stored", async () => {
    const { clock, pipeline, database } = begin();
    const answers = holdStores(database);
    pipeline.take(deliveryOf(1));
    await clock.advance(10);
    pipeline.take(deliveryOf(2));
    await clock.advance(4);
    expect(answers).toHaveLength(1);
    await clock.advance(1);
    expect(answers).toHaveLength(2);
    for (const answer of answers) answer();
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
