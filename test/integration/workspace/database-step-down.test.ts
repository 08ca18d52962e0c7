import { MongoClient } from "mongodb";
import type { WorkspaceDatabase } from "@skep/workspace";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startMongodServer, type MongodServer } from "../../support/mongod-server.ts";
import { messages, openerOf } from "../../support/workspace-database.ts";

let server: MongodServer;
let raw: MongoClient;

beforeAll(async () => {
  server = await startMongodServer(3);
  raw = new MongoClient(server.url);
});
afterAll(async () => {
  await raw.close();
  await server.close();
});

const BATCH = 100;

/** Stores batch after batch, each until it is stored, as the ingest does. */
function startWriter(database: WorkspaceDatabase, first: number) {
  const state = { stored: 0, failed: 0, isDone: false };
  const work = async (): Promise<void> => {
    for (let batch = 0; !state.isDone; batch++) {
      const documents = messages(BATCH, first + batch * BATCH);
      await eventually(() => database.store(documents).catch(fail), 30_000);
      state.stored += BATCH;
    }
  };
  const fail = (error: unknown): never => {
    state.failed += 1;
    throw error;
  };
  return { state, done: work() };
}

test("a primary that steps down or dies while messages are stored loses none of them and doubles none", async () => {
  const { database, db } = await openerOf(server, raw)();
  const writers = [0, 1, 2].map(number => startWriter(database, number * 1_000_000));
  const stored = () => writers.reduce((sum, one) => sum + one.state.stored, 0);
  const goesOn = async () => {
    const before = stored();
    await eventually(() => expect(stored()).toBeGreaterThan(before + 3_000), 30_000);
  };
  await goesOn();
  const first = (await server.primary()).host;
  await server.stepDown();
  await goesOn();
  const second = await server.primary();
  expect(second.host).not.toBe(first);
  await second.kill();
  await goesOn();
  await second.start();
  for (const writer of writers) writer.state.isDone = true;
  await Promise.all(writers.map(one => one.done));
  const held = db.collection("messages", { readConcern: { level: "majority" } });
  expect(await held.countDocuments()).toBe(stored());
  expect(database.health()).toEqual({ isConnected: true, lastError: "" });
});
