import { MongoClient } from "mongodb";
import { createConnections, UnstorableError, type DatabaseOptions } from "@skep/workspace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startMongodServer, type MongodServer } from "../../support/mongod-server.ts";
import { aLetter, aMessage, messages, openerOf, type OpenDatabase } from "../../support/workspace-database.ts";

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

  test("keys are recalled by how they begin, among the latest that were stored, whatever their clocks say", async () => {
    const { database } = await aDatabase();
    const old = Array.from({ length: 30 }, (_, at) => aMessage(1_000_000 - at, { _id: `0time00000001old${at}.x` }));
    await database.store(old);
    await database.store(messages(20).map((one, at) => ({ ...one, _id: `0time00000001new${at}.x` })));
    await database.bury([aLetter("0time00000001dead1.x")]);
    const recalled = await database.recall(["new3.", "new19.", "dead1.", "old29.", "old2.", "none."], 22);
    expect([...recalled].toSorted()).toEqual([
      ["dead1.", "0time00000001dead1.x"],
      ["new19.", "0time00000001new19.x"],
      ["new3.", "0time00000001new3.x"],
      ["old29.", "0time00000001old29.x"],
    ]);
  });

  test("keys of another kind, such as a tenant's own database may have, hinder no recall", async () => {
    const { database, db } = await aDatabase();
    await database.store([aMessage(1, { _id: "0time00000001new1.x" }), aMessage(2, { _id: "0time00000001new2ä.x" })]);
    await db.collection("messages").insertMany([{ of: "another program" }, { _id: 7 as never }]);
    expect([...(await database.recall(["new1.", "none.", "longer than that."], 100))]).toEqual([
      ["new1.", "0time00000001new1.x"],
    ]);
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
    const { database } = await aDatabase({ url: server.url.replace("/?", "/tenant-db?"), allowedHosts: ["127.0.0.1"] });
    await database.store([aMessage(1)]);
    await database.destroy();
    expect(await raw.db("tenant-db").collection("messages").countDocuments()).toBe(1);
  });

  test("a tenant's replica set may not name members inside the platform's network", async () => {
    const port = server.members[0]!.host.split(":")[1] ?? "";
    const url = `mongodb://localhost:${port}/?replicaSet=rs`;
    const refused = await open({ url, allowedHosts: ["localhost"] });
    expect(refused).toMatchObject({
      reason: "DATABASE_MEMBER_REFUSED",
      message: expect.stringMatching(
        /^ERROR: Database connection failed\na member of the replica set may not be used: /,
      ),
    });
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
    await Promise.all(Array.from({ length: 5 }, () => aDatabase({ workspaceId, retentionDays: 1 })));
    expect(await retention()).toBe(86_400);
    const { database } = await aDatabase({ workspaceId });
    await database.setDatabase({ retentionDays: 3 });
    expect(await retention()).toBe(3 * 86_400);
    await database.setDatabase({ retentionDays: "for ever" });
    await expect(database.setDatabase({ retentionDays: 0 })).rejects.toThrow("retentionDays is 0");
    expect((await db.collection("messages").indexes()).map(one => one.name)).toEqual(["_id_", "device_at", "at"]);
  });

  test("an index that somebody took away is made again, and one of its name with other fields is refused", async () => {
    const { workspaceId, db } = await aDatabase();
    await db.collection("messages").dropIndex("at");
    await db.collection("dead_letters").drop();
    await aDatabase({ workspaceId });
    const names = async (name: string) => (await db.collection(name).indexes()).map(one => one.name).toSorted();
    expect(await names("messages")).toEqual(["_id_", "at", "device_at"]);
    expect(await names("dead_letters")).toEqual(["_id_", "received"]);
    await db.collection("messages").dropIndex("at");
    await db.collection("messages").createIndex({ at: 1 }, { name: "at" });
    await expect(aDatabase({ workspaceId })).rejects.toThrow("same name");
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

test("a database that dies and returns is seen as away, and stores what is tried again (R32, R34)", async () => {
  const { database, db } = await aDatabase();
  await database.store(messages(10));
  const [member] = server.members;
  await member!.kill();
  await eventually(() => expect(database.health().isConnected).toBe(false));
  expect(database.health().lastError).not.toBe("");
  await member!.start();
  await eventually(() => database.store(messages(10, 10)), 20_000);
  expect(database.health()).toEqual({ isConnected: true, lastError: "" });
  expect(await db.collection("messages").countDocuments()).toBe(20);
});
