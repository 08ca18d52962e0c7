import { Buffer } from "node:buffer";
import { MongoClient } from "mongodb";
import { compareDatabases } from "@skep/workspace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startMongodServer, type MongodServer } from "../../support/mongod-server.ts";
import { aLetter, aMessage, messages, openerOf, START, type OpenDatabase } from "../../support/workspace-database.ts";

let server: MongodServer;
let raw: MongoClient;
let aDatabase: OpenDatabase;

beforeAll(async () => {
  server = await startMongodServer();
  raw = new MongoClient(server.url);
  aDatabase = openerOf(server, raw);
});
afterAll(async () => {
  await raw.close();
  await server.close();
});

describe("dead letters", () => {
  test("are listed, shown and replayed with the bytes that came", async () => {
    const { database } = await aDatabase();
    await database.bury([aLetter("l1"), aLetter("l2"), aLetter("l3")]);
    await database.bury([aLetter("l1")]);
    const page = await database.deadLetters({ limit: 2 });
    expect(page.documents.map(one => one._id)).toEqual(["l3", "l2"]);
    expect(page.documents[0]).not.toHaveProperty("payload");
    const rest = await database.deadLetters({ limit: 2, after: page.next ?? "" });
    expect([rest.documents.map(one => one._id), rest.next]).toEqual([["l1"], undefined]);
    await expect(database.replay("l1", () => Promise.reject(new Error("broker away")))).rejects.toThrow("broker away");
    const again: unknown[] = [];
    await database.replay("l1", async letter => void again.push(letter));
    expect(again).toEqual([{ topic: "w/devices/d1/telemetry/x", payload: Uint8Array.from([0, 255, 1, 254]) }]);
    await expect(database.deadLetter("l1")).rejects.toMatchObject({ reason: "NO_SUCH_LETTER" });
    await database.forgetLetter("l2");
    expect((await database.deadLetters({})).documents.map(one => one._id)).toEqual(["l3"]);
  });

  test("that fit into no document keep their first bytes and say so", async () => {
    const { database } = await aDatabase();
    await database.bury([aLetter("small"), aLetter("large", Buffer.alloc(17 * 1024 * 1024, 7))]);
    const large = await database.deadLetter("large");
    expect([large.payload.byteLength, large.payload[0], large.cutFrom]).toEqual([65_536, 7, 17 * 1024 * 1024]);
    await expect(database.replay("large", () => Promise.resolve())).rejects.toMatchObject({ reason: "LETTER_CUT" });
    expect(database.counts()).toMatchObject({ buried: 2 });
  });
});

describe("query models (R55)", () => {
  test("messages go page by page in both directions, each once, also those of one moment", async () => {
    const { database } = await aDatabase();
    const at = new Date(START);
    await database.store(messages(25).map((one, index) => (index < 12 ? { ...one, at } : one)));
    for (const order of ["newest", "oldest"] as const) {
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await database.messages({ order, limit: 4, ...(after === undefined ? {} : { after }) });
        seen.push(...page.documents.map(one => one._id));
        after = page.next;
      } while (after !== undefined);
      expect(new Set(seen).size).toBe(25);
      expect(seen).toHaveLength(25);
      expect(seen.at(order === "newest" ? 0 : -1)).toBe("m24");
    }
    const range = { from: new Date(START + 15_000), to: new Date(START + 20_000) };
    expect((await database.messages({ ...range, deviceId: "d1" })).documents.map(one => one._id)).toEqual([
      "m19",
      "m18",
      "m17",
      "m16",
      "m15",
    ]);
    expect((await database.messages({ deviceId: "none" })).documents).toEqual([]);
    await expect(database.messages({ limit: 1_001 })).rejects.toMatchObject({ reason: "QUERY_REFUSED" });
  });

  test("the latest value of each field, and the latest message of each device", async () => {
    const { database, db } = await aDatabase();
    await database.store([
      ...messages(5),
      aMessage(9, { value: { battery: { percent: 80 } } }),
      ...messages(3, 100).map(one => ({ ...one, deviceId: "d2", value: 7 })),
    ]);
    const latest = await database.latestValues("d1", ["temperature", "battery.percent", "humidity"]);
    expect(latest.map(one => [one.field, one.value, one.messageId])).toEqual([
      ["temperature", 4, "m4"],
      ["battery.percent", 80, "m9"],
    ]);
    expect((await database.latestValues("d2", [""]))[0]).toMatchObject({ value: 7, messageId: "m102" });
    await expect(database.latestValues("d1", ["$where"])).rejects.toMatchObject({ reason: "FIELD_INVALID" });
    const devices = await database.latestMessages();
    expect(devices.map(one => [one.deviceId, one.message._id])).toEqual([
      ["d1", "m9"],
      ["d2", "m102"],
    ]);
    expect((await database.latestMessages("d1")).map(one => one.deviceId)).toEqual(["d2"]);
    const plan = await db
      .collection("messages")
      .aggregate([
        { $match: { deviceId: { $gt: "" } } },
        { $sort: { deviceId: 1, at: -1, _id: -1 } },
        { $group: { _id: "$deviceId", message: { $first: "$$ROOT" } } },
      ])
      .explain();
    expect(JSON.stringify(plan)).toContain("DISTINCT_SCAN");
  });

  test("a series of a field in parts of equal length", async () => {
    const { database } = await aDatabase();
    await database.store([...messages(20), aMessage(30, { value: { temperature: "broken" } })]);
    const range = { deviceId: "d1", field: "temperature", from: new Date(START), to: new Date(START + 15_000) };
    expect(await database.series({ ...range, bucketMs: 10_000 })).toEqual([
      { from: new Date(START), count: 10, min: 0, max: 9, average: 4.5, last: 9 },
      { from: new Date(START + 10_000), count: 5, min: 10, max: 14, average: 12, last: 14 },
    ]);
    for (const bad of [{ bucketMs: 0 }, { bucketMs: 1 }, { bucketMs: 10_000, to: range.from }])
      await expect(database.series({ ...range, ...bad })).rejects.toMatchObject({
        reason: "SERIES_INVALID",
      });
  });
});

describe("a tenant's own query (R33, R119)", () => {
  test("is answered page by page, and a pipeline as a whole", async () => {
    const { database } = await aDatabase();
    await database.store(messages(20));
    const filter = {
      at: { $gte: { $date: new Date(START + 10_000).toISOString() } },
      "value.temperature": { $lt: 18 },
    };
    const page = await database.find({ collection: "messages", filter, limit: 5, order: "oldest" });
    expect(page.documents.map(one => one._id)).toEqual(["m10", "m11", "m12", "m13", "m14"]);
    const rest = await database.find({ collection: "messages", filter, order: "oldest", after: page.next ?? "" });
    expect([rest.documents.length, rest.isCut]).toEqual([3, false]);
    const pipeline = [{ $group: { _id: "$deviceId", warm: { $avg: "$value.temperature" } } }];
    expect(await database.aggregate({ collection: "messages", pipeline })).toEqual({
      documents: [{ _id: "d1", warm: 9.5 }],
      isCut: false,
    });
  });

  test("is cut at 10,000 documents, and at 8 MB", async () => {
    const { database } = await aDatabase();
    await database.store([aMessage(1, { value: Array.from({ length: 10_500 }, (_, at) => at) })]);
    const many = await database.aggregate({
      collection: "messages",
      pipeline: [{ $unwind: "$value" }, { $project: { value: 1 } }],
    });
    expect([many.documents.length, many.isCut]).toEqual([10_000, true]);
    await database.store(messages(12, 10).map(one => ({ ...one, value: "x".repeat(1_000_000) })));
    const page = await database.find({ collection: "messages" });
    expect([page.documents.length, page.isCut]).toEqual([8, true]);
    const rest = await database.find({ collection: "messages", after: page.next ?? "" });
    expect([rest.documents.length, rest.isCut]).toEqual([5, false]);
  });

  test.each<readonly [string, unknown]>([
    ["writes elsewhere", [{ $out: { db: "ws_other", coll: "messages" } }]],
    ["merges elsewhere", [{ $merge: { into: { db: "ws_other", coll: "messages" } } }]],
    ["reads elsewhere", [{ $unionWith: "system.users" }]],
    ["runs code", [{ $match: { $where: "sleep(100)" } }]],
    ["is none", "db.dropDatabase()"],
  ])("that %s is refused", async (_, pipeline) => {
    const { database } = await aDatabase();
    await expect(database.aggregate({ collection: "messages", pipeline })).rejects.toMatchObject({
      reason: "QUERY_REFUSED",
    });
    const other = { collection: "system.profile" as "messages", pipeline: [] };
    await expect(database.aggregate(other)).rejects.toThrow(/"system.profile" is no collection/);
    await expect(database.aggregate({ ...other, collection: "__proto__" as "messages" })).rejects.toThrow(
      /no collection/,
    );
  });

  test("ends by the time limit, and only so many run at once", async () => {
    const { database } = await aDatabase();
    await database.store([0, 1, 2].map(one => aMessage(one, { value: Array.from({ length: 2_000 }, (_, at) => at) })));
    const set = { $set: { b: "$value", c: "$value" } };
    const slow = [set, { $unwind: "$value" }, { $unwind: "$b" }, { $unwind: "$c" }, { $count: "n" }];
    const asked = Array.from({ length: 4 }, () =>
      database.aggregate({ collection: "messages", pipeline: slow }).catch((error: { reason: string }) => error.reason),
    );
    expect((await Promise.all(asked)).toSorted()).toEqual([
      "DATABASE_TOO_SLOW",
      "DATABASE_TOO_SLOW",
      "DATABASE_TOO_SLOW",
      "QUERIES_BUSY",
    ]);
    expect(database.counts()).toMatchObject({ queriesFailed: 4 });
  });
});

test("a message of another database that was a dead letter here is none any more", async () => {
  const [{ database: a }, { database: b }] = [await aDatabase(), await aDatabase()];
  await a.store([{ ...aMessage(1), _id: "l1" }]);
  await b.bury([aLetter("l1"), aLetter("l2")]);
  const documents = await a.portable.exportAll("messages", ["l1"]);
  expect(await b.portable.importAll("messages", documents)).toMatchObject({ stored: 1 });
  expect((await b.deadLetters({})).documents.map(one => one._id)).toEqual(["l2"]);
});

test("two databases are compared by their keys over a window, and what is missing where is named", async () => {
  const [{ database: a }, { database: b }] = [await aDatabase(), await aDatabase()];
  await a.store(messages(10_500));
  await a.bury([aLetter("l1")]);
  await b.store(messages(10_500).toReversed());
  await b.bury([aLetter("l1")]);
  const window = { from: 0, until: START + 20_000_000 };
  const nothing = { count: 0, first: [] };
  const equal = { ...window, compared: 10_501, missing: { source: nothing, target: nothing } };
  expect(await compareDatabases(a.portable, b.portable, window)).toEqual(equal);
  await a.store(messages(30, 11_000));
  await b.store([aMessage(12_000)]);
  await b.bury([aLetter("l2")]);
  const differs = await compareDatabases(a.portable, b.portable, window);
  expect(differs).toMatchObject({ compared: 10_533, missing: { source: { count: 2, first: ["m12000", "l2"] } } });
  expect(differs.missing.target.count).toBe(30);
  expect(differs.missing.target.first.slice(0, 2)).toEqual(["m11000", "m11001"]);
  const before = { from: START, until: START + 10_000 };
  expect(await compareDatabases(a.portable, b.portable, before)).toMatchObject({
    compared: 12,
    missing: { target: nothing },
  });
  expect(await compareDatabases(a.portable, b.portable, { ...before, keptSince: START + 5_000 })).toMatchObject({
    compared: 5,
  });
});
