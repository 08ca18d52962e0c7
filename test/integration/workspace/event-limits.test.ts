import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { pauseReading, startEventHost, type EventHost } from "./event-clients.ts";
import { event, joinOn, openOn } from "./event-rooms.ts";

let host: EventHost;

beforeAll(async () => {
  host = await startEventHost();
});
afterAll(() => host.close());

describe("the limits of a workspace", () => {
  it("hold the number of sockets, however many come at once", async () => {
    const shop = await openOn(host, { sockets: 3 });
    const clients = Array.from({ length: 12 }, () => host.client(shop.id, { secret: shop.secret }));
    await Promise.all(clients.map(client => client.entry));
    await eventually(() => expect(clients.filter(client => client.socket.connected).length).toBe(3));
    const late = host.client(shop.id, { secret: shop.secret });
    expect(await late.entry).toMatchObject({ reason: "LIMIT_SOCKETS", limit: "sockets", most: 3 });
    clients.find(client => client.socket.connected)?.socket.disconnect();
    await eventually(() => expect(shop.events.counts()).toMatchObject({ sockets: 2, "refused.LIMIT_SOCKETS": 10 }));
    await joinOn(host, shop);
  });

  it("hold what a socket sends, and name the limit", async () => {
    const shop = await openOn(host, { events: 20 });
    const client = await joinOn(host, shop);
    const answers = await Promise.all(Array.from({ length: 30 }, () => client.ask("subscribe", "a")));
    const refused = answers.filter(answer => !answer.ok);
    expect(refused.length).toBeGreaterThanOrEqual(9);
    expect(refused[0]).toMatchObject({ reason: "LIMIT_EVENTS", limit: "events", most: 20 });
    for (let i = 0; i < 30; i++) client.socket.emit("subscribe", "b");
    await eventually(() => expect(client.refused.length).toBeGreaterThan(0));
    expect(client.refused).toMatchObject([{ limit: "events", most: 20 }]);
  });

  it("end a socket that floods", async () => {
    const shop = await openOn(host, { events: 5 });
    const client = await joinOn(host, shop);
    for (let i = 0; i < 200; i++) client.socket.emit("anything");
    await eventually(() => expect(client.socket.connected).toBe(false));
    expect(client.refused.at(-1)).toMatchObject({ reason: "FLOOD" });
  });

  it("hold how much a socket may send at once", async () => {
    const shop = await openOn(host);
    const client = await joinOn(host, shop);
    client.socket.emit("subscribe", "x".repeat(70_000));
    await eventually(() => expect(client.socket.connected).toBe(false));
  });

  it("hold subscriptions, and take a request whole or not at all", async () => {
    const shop = await openOn(host, { channels: 3 });
    const client = await joinOn(host, shop);
    await client.ask("subscribe", ["a", "b"]);
    const over = { ok: false, reason: "LIMIT_CHANNELS", limit: "channels", most: 3 };
    expect(await client.ask("subscribe", ["b", "c", "d"])).toMatchObject(over);
    expect(await client.ask("subscribe", ["b", "c"])).toMatchObject({ ok: true, filters: ["a", "b", "c"] });
    const bomb = Array.from({ length: 1_001 }, (_, index) => `${index}/#`);
    expect(await client.ask("subscribe", bomb)).toMatchObject({ ok: false, reason: "BAD_REQUEST" });
    expect(shop.events.counts()).toMatchObject({ subscriptions: 3 });
    await client.ask("unsubscribe", ["a", "x"]);
    expect(await client.ask("subscribe", "d")).toMatchObject({ ok: true, filters: ["b", "c", "d"] });
  });

  it("hold what a socket is told; it learns what it missed, and how to ask for it", async () => {
    const shop = await openOn(host, { events: 10 });
    const [client, beside] = [await joinOn(host, shop), await joinOn(host, shop)];
    await client.ask("subscribe", "#");
    await beside.ask("subscribe", "n/39");
    shop.events.emit(Array.from({ length: 40 }, (_, n) => event(`n/${n}`)));
    await eventually(() => expect(client.lost.length).toBe(1));
    expect(beside.heard.length).toBe(1);
    expect(client.lost).toMatchObject([{ because: "limit", count: 40 - client.heard.length }]);
    expect(shop.events.counts()["dropped"]).toBe(client.lost[0]?.count);
    const told = client.heard.length;
    await client.ask("subscribe", { filters: "#", from: client.lost[0]?.from });
    await eventually(() => expect(client.heard.length).toBe(40));
    expect(client.heard.map(one => one.topic)).toEqual(Array.from({ length: 40 }, (_, n) => `n/${n}`));
    expect(client.heard[told]?.offset).not.toBe(client.lost[0]?.from);
  });

  it("change while sockets are connected", async () => {
    const shop = await openOn(host, { sockets: 3, events: 5 });
    const clients = [await joinOn(host, shop), await joinOn(host, shop), await joinOn(host, shop)];
    await clients[0]!.ask("subscribe", "#");
    shop.events.setLimits({ sockets: 2, events: 1_000, channels: 1 });
    await eventually(() => expect(clients.map(one => one.socket.connected)).toEqual([true, true, false]));
    expect(clients[2]!.refused).toMatchObject([{ limit: "sockets", most: 2 }]);
    expect(await clients[0]!.ask("subscribe", "b")).toMatchObject({ limit: "channels", most: 1 });
    // The bucket is larger and fills faster from now on.
    await eventually(async () => {
      const before = clients[0]!.heard.length;
      shop.events.emit(Array.from({ length: 100 }, () => event("a")));
      await eventually(() => expect(clients[0]!.heard.length - before).toBe(100), 500);
    });
  });
});

describe("a socket that reads slowly", () => {
  it("loses events of its own, is told how many, and holds nobody up", async () => {
    const shop = await openOn(host, { events: 100_000 });
    const [slow, fast] = [await joinOn(host, shop), await joinOn(host, shop)];
    for (const client of [slow, fast]) await client.ask("subscribe", "#");
    const { resume } = pauseReading(slow);
    const data = "x".repeat(50_000);
    for (let n = 0; n < 400; n++) {
      shop.events.emit([event(`n/${n}`, data)]);
      await eventually(() => expect(fast.heard.length).toBe(n + 1), 10_000, 1);
    }
    const { dropped } = shop.events.counts();
    expect(dropped).toBeGreaterThan(100);
    resume();
    await eventually(() => expect(slow.lost.length).toBe(1));
    expect(slow.lost).toMatchObject([{ because: "slow", count: dropped }]);
    await eventually(() => expect(slow.heard.length).toBe(400 - (dropped ?? 0)));
    shop.events.emit([event("after")]);
    await eventually(() => expect(slow.heard.at(-1)?.topic).toBe("after"));
  });

  it("that asks and does not read the answers is ended", async () => {
    const shop = await openOn(host, { events: 100_000 });
    const client = await joinOn(host, shop);
    await client.ask("subscribe", "#");
    pauseReading(client);
    for (let n = 0; n < 300; n++) {
      shop.events.emit([event("n", "x".repeat(50_000))]);
      await new Promise(resolve => setImmediate(resolve));
    }
    client.socket.emit("subscribe", "a");
    await eventually(() => expect(shop.events.counts()).toMatchObject({ sockets: 0, "refused.FLOOD": 1 }));
  });
});
