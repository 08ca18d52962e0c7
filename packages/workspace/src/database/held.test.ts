import type { MongoClient } from "mongodb";
import { describe, expect, test } from "vitest";
import { createShared } from "../resources/shared.ts";
import type { Connection, Connections } from "./connection.ts";
import { hold } from "./held.ts";

interface Faked extends Connection {
  readonly poolSize: number;
  isEnded: boolean;
}

/** Connections to nothing, counted and ended as real ones are. */
function someConnections() {
  const made: Faked[] = [];
  const refused = new Set<number>();
  const shared = createShared<Connection>(async one => void ((one as Faked).isEnded = true));
  const connections: Connections = {
    acquire: ({ url, poolSize }) =>
      shared.acquire(`${url} ${poolSize}`, async () => {
        if (refused.has(poolSize)) throw new Error("no room");
        const client = { db: () => ({ collection: () => ({}) }) } as unknown as MongoClient;
        const questions = { pass: <T>(work: () => Promise<T>) => work() };
        const one = { client, poolSize, isEnded: false, isWritable: () => true, lastError: () => "", questions };
        made.push(one);
        return one;
      }),
    counts: () => shared.counts(),
  };
  return { connections, made, refused };
}

const target = { url: "mongodb://db.example.com", poolSize: 10 };

describe("The client of a database", () => {
  test("is exchanged with its work done: what is under way keeps the old one", async () => {
    const { connections, made } = someConnections();
    const held = await hold(connections, "a", target);
    let done: () => void = () => undefined;
    const underWay = held.use(() => new Promise<void>(resolve => (done = resolve)));
    const exchanging = held.exchange(20);
    await held.use(() => Promise.resolve());
    await new Promise(resolve => setImmediate(resolve));
    const used = await held.use((_, connection) => Promise.resolve((connection as Faked).poolSize));
    expect([used, made[0]!.isEnded]).toEqual([20, false]);
    done();
    await Promise.all([underWay, exchanging]);
    expect(made.map(one => one.isEnded)).toEqual([true, false]);
    await held.close();
    expect([made[1]!.isEnded, connections.counts().size]).toEqual([true, 0]);
  });

  test("stays where the new one cannot be had", async () => {
    const { connections, made, refused } = someConnections();
    const held = await hold(connections, "a", target);
    refused.add(20);
    await expect(held.exchange(20)).rejects.toThrow("no room");
    expect([held.target().poolSize, made[0]!.isEnded, connections.counts().size]).toEqual([10, false, 1]);
    await held.close();
  });

  test("is exchanged in turn, and none is left over or ended while others use it", async () => {
    const { connections, made } = someConnections();
    const [held, other] = await Promise.all([hold(connections, "a", target), hold(connections, "b", target)]);
    await Promise.all([20, 30, 10].map(poolSize => held.exchange(poolSize)));
    expect(held.target().poolSize).toBe(10);
    expect([...connections.counts().values()]).toEqual([2]);
    expect(made.filter(one => !one.isEnded).map(one => one.poolSize)).toEqual([10]);
    await Promise.all([held.close(), other.close()]);
    expect(made.every(one => one.isEnded)).toBe(true);
  });

  test("is let go of once, after its last work, and then serves nobody", async () => {
    const { connections, made } = someConnections();
    const [held, other] = await Promise.all([hold(connections, "a", target), hold(connections, "b", target)]);
    let done: () => void = () => undefined;
    const underWay = held.use(() => new Promise<void>(resolve => (done = resolve)));
    const closing = Promise.all([held.close(), held.close()]);
    await new Promise(resolve => setImmediate(resolve));
    await expect(held.use(() => Promise.resolve())).rejects.toMatchObject({ reason: "DATABASE_CLOSED" });
    expect([...connections.counts().values()]).toEqual([2]);
    done();
    await Promise.all([underWay, closing]);
    expect([[...connections.counts().values()], made[0]!.isEnded]).toEqual([[1], false]);
    await expect(held.exchange(30)).rejects.toMatchObject({ reason: "DATABASE_CLOSED" });
    await other.close();
  });
});
