import { Buffer } from "node:buffer";
import { MongoClient } from "mongodb";
import { createConnections, openDatabase, UnstorableError } from "@skep/workspace";
import type { DatabaseOptions, MessageDocument } from "@skep/workspace";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startMongodServer, type MongodServer } from "../../support/mongod-server.ts";

let server: MongodServer;
let raw: MongoClient;
let serial = 0;

beforeAll(async () => {
  server = await startMongodServer();
  raw = new MongoClient(server.url);
});
afterAll(async () => {
  await raw.close();
  await server.close();
});

const START = Date.UTC(2026, 0, 1);

function aMessage(number: number, change: Partial<MessageDocument> = {}): MessageDocument {
  const at = new Date(START + number * 1_000);
  return {
    ...{ _id: `m${number}`, deviceId: "d1", category: "telemetry", type: "sensors", at, receivedAt: at },
    value: { temperature: number, name: "a" },
    ...change,
  };
}

const messages = (count: number, from = 0) => Array.from({ length: count }, (_, at) => aMessage(from + at));

async function aDatabase(change: Partial<DatabaseOptions> = {}) {
  const connections = change.connections ?? createConnections();
  const workspaceId = change.workspaceId ?? `w${serial++}`;
  const database = await openDatabase({ workspaceId, url: server.url, megabytes: 100, ...change, connections });
  onTestFinished(() => database.close());
  return { database, connections, workspaceId, db: raw.db(`ws_${workspaceId}`) };
}

describe("storing", () => {
  test("the same messages twice stores them once, and both times resolves", async () => {
    const { database, db } = await aDatabase();
    await database.store(messages(1_000));
    await database.store(messages(1_000, 500));
    await database.store([aMessage(3), aMessage(3), aMessage(2_000), aMessage(2_000)]);
    expect(await db.collection("messages").countDocuments()).toBe(1_501);
    expect(database.counts()).toMatchObject({ stored: 1_501, duplicates: 503, failures: 0 });
    await database.store([]);
  });

  test("what can never be stored is named, and everything else is stored", async () => {
    const { database, db } = await aDatabase();
    let deep: unknown = 1;
    for (let level = 0; level < 250; level++) deep = { a: deep };
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const bad = [
      aMessage(10, { value: deep }),
      aMessage(11, { value: "x".repeat(17 * 1024 * 1024) }),
      aMessage(12, { value: circle }),
      aMessage(13, { value: { "a\0b": 1 } }),
    ];
    const all = [...messages(10), ...bad, ...messages(10, 20)];
    const error = await database.store(all).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(UnstorableError);
    expect([...(error as UnstorableError).refused.keys()]).toEqual(["m10", "m11", "m12", "m13"]);
    expect(await db.collection("messages").countDocuments()).toBe(20);
    expect(database.counts()).toMatchObject({ stored: 20, refused: 4 });
  });

  test("what a tenant's own validator refuses is named too", async () => {
    const { database, db } = await aDatabase();
    await db.command({ collMod: "messages", validator: { "value.temperature": { $lt: 5 } } });
    const error = await database.store(messages(7)).catch((one: unknown) => one);
    expect([...(error as UnstorableError).refused.keys()]).toEqual(["m5", "m6"]);
  });

  test("values keep their names, whatever operators they look like", async () => {
    const { database } = await aDatabase();
    const value = { $where: "1", "a.b": 1, __proto__x: 2, $ref: "a", empty: undefined };
    await database.store([aMessage(1, { value })]);
    const { documents } = await database.messages({});
    expect(documents[0]?.value).toEqual({ $where: "1", "a.b": 1, __proto__x: 2, $ref: "a" });
    expect(Object.hasOwn(documents[0] ?? {}, "schema")).toBe(false);
  });

  test("an address that asks for less does not loosen what stored means", async () => {
    const { database, db } = await aDatabase({ url: `${server.url}&w=0&retryWrites=false&journal=false` });
    await db.command({ collMod: "messages", validator: { "value.temperature": { $lt: 5 } } });
    await expect(database.store(messages(7))).rejects.toBeInstanceOf(UnstorableError);
  });

  test("of a workspace is in a database of its own (R10, R16)", async () => {
    const [a, b] = [await aDatabase(), await aDatabase()];
    await a.database.store(messages(5));
    await b.database.store([aMessage(1)]);
    expect((await b.database.messages({})).documents).toHaveLength(1);
    await a.database.destroy();
    expect((await b.database.messages({})).documents).toHaveLength(1);
    expect(await a.db.collection("messages").countDocuments()).toBe(0);
  });
});

describe("connecting (R143)", () => {
  const open = (change: Partial<DatabaseOptions>) =>
    aDatabase(change).then(
      () => "opened",
      (one: Error) => one,
    );

  test("fails with its first line and the true cause, without a secret", async () => {
    const invalid = await open({ url: "mongo://user:secret@host" });
    expect(invalid).toMatchObject({
      reason: "DATABASE_URL_INVALID",
      message: expect.stringMatching(/^ERROR: Database connection failed\ninvalid URI: /),
    });
    const unreachable = await open({ url: "mongodb://u:secret@127.0.0.1:1/?directConnection=true" });
    expect(unreachable).toMatchObject({
      reason: "DATABASE_UNREACHABLE",
      message: expect.stringMatching(/^ERROR: Database connection failed\nunreachable: /),
    });
    const { host } = server.members[0]!;
    const denied = await open({ url: `mongodb://nobody:secret@${host}/?replicaSet=rs` });
    expect(denied).toMatchObject({
      reason: "DATABASE_AUTHENTICATION",
      message: expect.stringMatching(/^ERROR: Database connection failed\nauthentication failed: /),
    });
    for (const error of [invalid, unreachable, denied])
      expect(JSON.stringify([(error as Error).message])).not.toContain("secret");
  });

  test("a tenant's own address may not lead into the platform's network", async () => {
    expect(await open({ url: server.url, allowedHosts: [] })).toMatchObject({ reason: "DATABASE_URL_INVALID" });
    expect(await open({ url: "mongodb://localhost.example.com:1/", allowedHosts: [] })).toMatchObject({
      reason: "DATABASE_UNREACHABLE",
    });
    const { database } = await aDatabase({ url: server.url.replace("/?", "/tenant-db?"), allowedHosts: ["127.0.0.1"] });
    await database.store([aMessage(1)]);
    expect(await raw.db("tenant-db").collection("messages").countDocuments()).toBe(1);
  });

  test("one client serves all databases of an address, and ends with the last (R15, R85, R92)", async () => {
    const connections = createConnections();
    const all = await Promise.all(Array.from({ length: 5 }, () => aDatabase({ connections })));
    expect([...connections.counts().values()]).toEqual([5]);
    const own = await aDatabase({ connections, poolSize: 20 });
    expect([...connections.counts().values()].toSorted()).toEqual([1, 5]);
    await Promise.all(all.map(one => one.database.close()));
    await own.database.close();
    expect(connections.counts().size).toBe(0);
    await expect(own.database.store([aMessage(1)])).rejects.toMatchObject({ reason: "DATABASE_CLOSED" });
  });

  test("collections and indexes are made once; retention comes, changes and goes", async () => {
    const { workspaceId, db } = await aDatabase();
    const retention = async () =>
      (await db.collection("messages").indexes()).find(one => one.name === "retention")?.expireAfterSeconds;
    expect(await retention()).toBeUndefined();
    await Promise.all([aDatabase({ workspaceId, retentionDays: 7 }), aDatabase({ workspaceId, retentionDays: 7 })]);
    expect(await retention()).toBe(7 * 86_400);
    await aDatabase({ workspaceId, retentionDays: 1 });
    expect(await retention()).toBe(86_400);
    await aDatabase({ workspaceId });
    expect((await db.collection("messages").indexes()).map(one => one.name)).toEqual(["_id_", "device_at", "at"]);
  });
});

describe("rescaling (R66)", () => {
  test("the pool loses no write and leaves no client behind", async () => {
    const { database, connections, db } = await aDatabase();
    let isDone = false;
    let stored = 0;
    const writers = [0, 1, 2, 3].map(async writer => {
      for (let batch = 0; !isDone; batch++) {
        await database.store(messages(50, writer * 1_000_000 + batch * 50));
        stored += 50;
      }
    });
    for (const poolSize of [20, 5, 12]) {
      await database.setDatabase({ poolSize });
      const before = stored;
      await eventually(() => expect(stored).toBeGreaterThan(before + 500));
    }
    isDone = true;
    await Promise.all(writers);
    expect(await db.collection("messages").countDocuments()).toBe(stored);
    expect(database.counts()).toMatchObject({ stored, duplicates: 0, failures: 0, poolSize: 12 });
    expect([...connections.counts().values()]).toEqual([1]);
  });

  test("a size that is reached refuses writes and goes on reading; a larger one takes them again (R86)", async () => {
    const { database } = await aDatabase({ megabytes: 1 });
    const large = (from: number) => messages(500, from).map(one => ({ ...one, value: "x".repeat(1_000) }));
    await database.store(large(0));
    await database.store(large(500));
    const refused = { code: "resource_exhausted", reason: "DATABASE_FULL" };
    await expect(database.store(large(1_000))).rejects.toMatchObject(refused);
    await expect(database.bury([aLetter("l1")])).rejects.toMatchObject(refused);
    expect(database.health().lastError).toContain("takes no more, reading goes on");
    expect(database.counts()).toMatchObject({ isFull: 1, stored: 1_000 });
    expect((await database.messages({ limit: 10 })).documents).toHaveLength(10);
    await database.setDatabase({ maxSize: 2048 });
    await database.store(large(1_000));
    expect(database.counts()).toMatchObject({ isFull: 0, stored: 1_500 });
    expect(database.health()).toEqual({ isConnected: true, lastError: "" });
  });

  test("nonsense is refused and changes nothing", async () => {
    const { database } = await aDatabase();
    for (const change of [{ poolSize: 0 }, { poolSize: 1.5 }, { maxSize: -1 }, { poolSize: 100_000 }])
      await expect(database.setDatabase(change)).rejects.toMatchObject({ reason: "DATABASE_CHANGE_INVALID" });
    expect(database.counts()).toMatchObject({ poolSize: 10 });
  });
});

function aLetter(id: string, payload: Uint8Array = Buffer.from([0, 255, 1, 254])) {
  return { _id: id, topic: "w/devices/d1/telemetry/x", payload, receivedAt: new Date(START), because: "no JSON" };
}

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
    for (const bad of [{ bucketMs: 0 }, { bucketMs: 1 }, { bucketMs: 10, to: range.from }])
      await expect(database.series({ ...range, bucketMs: 10, ...bad })).rejects.toMatchObject({
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

test("a database that dies and returns is seen as away, and stores what is tried again (R32, R34)", async () => {
  const { database, db } = await aDatabase();
  await database.store(messages(10));
  const [member] = server.members;
  await member!.kill();
  await expect(database.store(messages(10, 10))).rejects.toMatchObject({ code: "unavailable" });
  await eventually(() => expect(database.health().isConnected).toBe(false));
  expect(database.health().lastError).not.toBe("");
  await member!.start();
  await eventually(() => database.store(messages(10, 10)), 20_000);
  expect(database.health()).toEqual({ isConnected: true, lastError: "" });
  expect(await db.collection("messages").countDocuments()).toBe(20);
});
