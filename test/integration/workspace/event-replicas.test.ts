import { createRedisSharing } from "@skep/workspace/events/redis-sharing.ts";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startRedisServer, type RedisServer } from "../../support/redis-server.ts";
import { breakConnection, startEventHost, type Client, type EventHost } from "./event-clients.ts";
import { event, joinOn, openOn, type OpenWorkspace } from "./event-rooms.ts";

let redis: RedisServer;
let hosts: readonly [EventHost, EventHost];

beforeAll(async () => {
  redis = await startRedisServer();
  const start = (): Promise<EventHost> =>
    startEventHost({ sharing: createRedisSharing({ url: redis.url, events: 100 }) });
  hosts = [await start(), await start()];
});
afterAll(async () => {
  await Promise.all(hosts.map(host => host.close()));
  await redis.close();
});

/** The same workspace on both hosts. */
async function openBoth(): Promise<readonly [OpenWorkspace, OpenWorkspace]> {
  const here = await openOn(hosts[0], { events: 5_000 });
  return [here, { ...here, events: await hosts[1].events.open(here) }];
}

const topics = (client: Client): string[] => client.heard.map(one => one.topic);

describe("two replicas", () => {
  it("tell their sockets the same events in the same order with the same offsets, bytes included", async () => {
    const [here, there] = await openBoth();
    const clients = [await joinOn(hosts[0], here), await joinOn(hosts[1], there)];
    for (const client of clients) await client.ask("subscribe", "#");
    here.events.emit([event("a/1", { n: 1 }), event("a/2", new Uint8Array([7, 255]))]);
    here.events.emit([event("a/3")]);
    await eventually(() => expect(clients.map(client => client.heard.length)).toEqual([3, 3]));
    expect(clients[1]!.heard).toEqual(clients[0]!.heard);
    expect(clients[1]!.heard[1]?.data).toEqual(Buffer.from([7, 255]));
    // The workspace moves: the other one emits from now on.
    there.events.emit([event("a/4")]);
    await eventually(() =>
      expect(clients.map(topics)).toEqual([
        ["a/1", "a/2", "a/3", "a/4"],
        ["a/1", "a/2", "a/3", "a/4"],
      ]),
    );
    expect(here.events.counts()).toMatchObject({ unshared: 0 });
  });

  it("are told what was emitted just before a workspace closed", async () => {
    const [here, there] = await openBoth();
    const far = await joinOn(hosts[1], there);
    await far.ask("subscribe", "#");
    here.events.emit([event("a/last")]);
    await here.events.close();
    await eventually(() => expect(topics(far)).toEqual(["a/last"]));
    expect(here.events.counts()).toMatchObject({ unshared: 0 });
  });

  it("each know the past of the other, as much as is kept of this workspace", async () => {
    const [here] = await openBoth();
    const client = await joinOn(hosts[0], here);
    await client.ask("subscribe", "#");
    here.events.emit([event("a/1"), event("a/2")]);
    await eventually(() => expect(client.heard.length).toBe(2));
    const neighbour = await openOn(hosts[0]);
    neighbour.events.emit(Array.from({ length: 2_000 }, () => event("noise")));
    const third = await startEventHost({ sharing: createRedisSharing({ url: redis.url, events: 100 }) });
    try {
      const late = { ...here, events: await third.events.open(here) };
      const other = await joinOn(third, late);
      await other.ask("subscribe", { filters: "#", from: client.heard[0]?.offset });
      await eventually(() => expect(other.heard).toEqual(client.heard.slice(1)));
    } finally {
      await third.close();
    }
  });

  it("let a socket go on at the other one, once", async () => {
    const [here, there] = await openBoth();
    const client = await joinOn(hosts[0], here);
    await client.ask("subscribe", "a/#");
    here.events.emit([event("a/1")]);
    await eventually(() => expect(client.heard.length).toBe(1));
    const { _pid: pid } = client.socket as unknown as { _pid: string };
    breakConnection(client);
    await eventually(() => expect(here.events.counts()).toMatchObject({ sockets: 0 }));
    here.events.emit([event("a/2"), event("b/2")]);
    await eventually(() => expect(there.events.counts()).toMatchObject({ kept: 3 }));
    const auth = { secret: here.secret, pid, offset: client.heard[0]?.offset };
    const back = await joinOn(hosts[1], there, auth);
    const again = await joinOn(hosts[1], there, auth);
    await eventually(() => expect(topics(back)).toEqual(["a/2"]));
    expect(there.events.counts()).toMatchObject({ recovered: 1, subscriptions: 1 });
    expect(again.heard).toEqual([]);
  });

  it("keep no more of a workspace than they say, and nothing for ever", async () => {
    const [here] = await openBoth();
    for (let n = 0; n < 20; n++) here.events.emit(Array.from({ length: 50 }, () => event("a")));
    const client = new Redis(redis.url);
    try {
      await eventually(async () => expect(await client.xlen(`skep:events:${here.id}`)).toBeLessThanOrEqual(300));
      expect(await client.pttl(`skep:events:${here.id}`)).toBeGreaterThan(0);
    } finally {
      client.disconnect();
    }
  });

  it("say so while Redis is away, tell their own sockets all the same, and find together again", async () => {
    const [here, there] = await openBoth();
    const [near, far] = [await joinOn(hosts[0], here), await joinOn(hosts[1], there)];
    for (const client of [near, far]) await client.ask("subscribe", "#");
    await redis.kill();
    await eventually(() => expect(here.events.health().isConnected).toBe(false));
    expect(here.events.health().lastError).toContain("Redis");
    here.events.emit([event("a/1")]);
    await eventually(() => expect(topics(near)).toEqual(["a/1"]));
    await redis.start();
    await eventually(() => expect(here.events.health()).toEqual({ isConnected: true, lastError: "" }));
    here.events.emit([event("a/2")]);
    await eventually(() => expect(topics(far)).toEqual(["a/1", "a/2"]));
    expect(far.heard).toEqual(near.heard);
    expect(here.events.counts()).toMatchObject({ unshared: 0 });
  });

  it("say what may be missing where Redis lost it while nobody could read", async () => {
    const [here, there] = await openBoth();
    const far = await joinOn(hosts[1], there);
    await far.ask("subscribe", "#");
    here.events.emit([event("a/1")]);
    await eventually(() => expect(topics(far)).toEqual(["a/1"]));
    const client = new Redis(redis.url);
    try {
      await client
        .multi()
        .del(`skep:events:${here.id}`)
        .call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        .exec();
      await eventually(() => expect(far.lost).toMatchObject([{ because: "gap" }]));
      await eventually(() => expect(here.events.health().isConnected).toBe(true));
      here.events.emit([event("a/2")]);
      await eventually(() => expect(topics(far)).toEqual(["a/1", "a/2"]));
    } finally {
      client.disconnect();
    }
  });

  it("go on after another one whose clock is ahead", async () => {
    const [here, there] = await openBoth();
    const far = await joinOn(hosts[1], there);
    await far.ask("subscribe", "#");
    const client = new Redis(redis.url);
    const key = `skep:events:${here.id}`;
    try {
      await client.persist(key);
      await client.xadd(key, `${Date.now() + 3_600_000}-0`, "begin", "");
      here.events.emit([event("a/early")]);
      await eventually(() => expect(here.events.counts()).toMatchObject({ unshared: 1 }));
      here.events.emit([event("a/1")]);
      await eventually(() => expect(topics(far)).toEqual(["a/1"]));
      expect(here.events.counts()).toMatchObject({ unshared: 1 });
      await eventually(async () => expect(await client.pttl(key)).toBeGreaterThan(0));
    } finally {
      client.disconnect();
    }
  });

  it("are told of what was too much to keep for them", async () => {
    const [here, there] = await openBoth();
    const far = await joinOn(hosts[1], there);
    await far.ask("subscribe", "#");
    here.events.emit(Array.from({ length: 350 }, (_, n) => event(`a/${n}`)));
    await eventually(() => expect(far.heard.at(-1)?.topic).toBe("a/349"));
    await eventually(() => expect(far.lost).toMatchObject([{ because: "gap" }]));
    expect(here.events.counts()["unshared"]).toBe(350 - far.heard.length);
  });
});
