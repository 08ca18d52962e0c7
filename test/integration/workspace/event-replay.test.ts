import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { breakConnection, startEventHost, type Client, type EventHost } from "./event-clients.ts";
import { event, joinOn, openOn, type OpenWorkspace } from "./event-rooms.ts";

let host: EventHost;

beforeAll(async () => {
  host = await startEventHost({ log: { events: 1_000, bytes: 1_000_000 } });
});
afterAll(() => host.close());

const topics = (client: Client): string[] => client.heard.map(one => one.topic);
const COMES_BACK = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 50 };

/** A client that comes back by itself, subscribed and with one event heard. */
async function heardOne(shop: OpenWorkspace, filter = "#"): Promise<Client> {
  const client = host.client(shop.id, { secret: shop.secret }, COMES_BACK);
  await client.entry;
  await client.ask("subscribe", filter);
  shop.events.emit([event("a/1")]);
  await eventually(() => expect(topics(client)).toEqual(["a/1"]));
  return client;
}

/** Breaks the connection and emits before the client is back. */
async function missOne(client: Client, shop: OpenWorkspace, away: () => void = () => undefined): Promise<void> {
  const back = new Promise<void>(resolve => void client.socket.once("connect", () => resolve()));
  breakConnection(client);
  await eventually(() => expect(shop.events.counts()).toMatchObject({ sockets: 0 }), 5_000, 2);
  shop.events.emit([event("a/2"), event("b/2")]);
  away();
  await back;
}

describe("what a socket missed", () => {
  it("is told from an offset on, in order, and then what is live", async () => {
    const shop = await openOn(host, { events: 5_000 });
    const first = await heardOne(shop);
    shop.events.emit(Array.from({ length: 900 }, (_, n) => event(n % 2 === 0 ? `a/${n}` : `b/${n}`)));
    const client = await joinOn(host, shop);
    await client.ask("subscribe", "c/#");
    const asked = client.ask("subscribe", { filters: "a/#", from: first.heard[0]?.offset });
    for (let n = 0; n < 20; n++) {
      shop.events.emit([event(`c/${n}`), event(`a/live${n}`)]);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    expect(await asked).toMatchObject({ ok: true });
    await eventually(() => expect(client.heard.length).toBe(450 + 40));
    const past = topics(client).filter(topic => /^a\/\d/.test(topic));
    expect(past).toEqual(Array.from({ length: 450 }, (_, n) => `a/${n * 2}`));
    expect(topics(client).filter(topic => topic.startsWith("a/live"))).toEqual(
      Array.from({ length: 20 }, (_, n) => `a/live${n}`),
    );
    expect(topics(client).filter(topic => topic.startsWith("c/")).length).toBe(20);
  });

  it("is said to be lost where it is no longer kept", async () => {
    const shop = await openOn(host, { events: 5_000 });
    const first = await heardOne(shop);
    shop.events.emit(Array.from({ length: 1_001 }, (_, n) => event(`a/${n}`)));
    const client = await joinOn(host, shop);
    const from = first.heard[0]?.offset;
    const answer = await client.ask("subscribe", { filters: "#", from });
    expect(answer).toMatchObject({ ok: true, gap: { from, to: answer.offset } });
    expect(await client.ask("subscribe", { filters: "#", from: "9999999999999-0" })).toMatchObject({ gap: {} });
    expect(await client.ask("subscribe", { filters: "#", from: "soon" })).toMatchObject({ reason: "BAD_OFFSET" });
    shop.events.emit([event("live")]);
    await eventually(() => expect(topics(client)).toEqual(["live"]));
  });

  it("cannot be asked for without end", async () => {
    const shop = await openOn(host);
    const client = await joinOn(host, shop);
    const { offset } = await client.ask("subscribe", "#");
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => client.ask("subscribe", { filters: "#", from: offset })),
    );
    expect(answers.filter(answer => !answer.ok)[0]).toMatchObject({
      reason: "LIMIT_REPLAYS",
      limit: "replays",
      most: 1,
    });
    expect(answers.filter(answer => answer.ok).length).toBeLessThanOrEqual(6);
  });

  it("is told to a client that comes back by itself, once, and it need not subscribe again", async () => {
    const shop = await openOn(host);
    const client = await heardOne(shop, "a/#");
    await missOne(client, shop);
    expect(client.socket.recovered).toBe(true);
    shop.events.emit([event("a/3"), event("b/3")]);
    await eventually(() => expect(topics(client)).toEqual(["a/1", "a/2", "a/3"]));
    expect(shop.events.counts()).toMatchObject({ recovered: 1, subscriptions: 1 });
  });

  it("is not told to a client that comes back too late, which then asks and is told of the gap", async () => {
    const shop = await openOn(host);
    const client = await heardOne(shop);
    const from = client.heard[0]?.offset;
    await missOne(client, shop, () => shop.events.emit(Array.from({ length: 1_001 }, () => event("a"))));
    expect(client.socket.recovered).toBe(false);
    expect(await client.ask("subscribe", { filters: "#", from })).toMatchObject({ gap: { from } });
  });

  it("is told as far as the token of now allows", async () => {
    const shop = await openOn(host);
    const client = await heardOne(shop, "a/#");
    await client.ask("subscribe", "b/#");
    const token = await shop.events.issueToken({ subject: "x", topics: ["b/#"], lifetimeMs: 60_000 });
    await missOne(client, shop, () => (client.socket.auth = { token }));
    shop.events.emit([event("a/3"), event("b/3")]);
    await eventually(() => expect(topics(client)).toEqual(["a/1", "b/2", "b/3"]));
  });

  it("is told to nobody who has only the number of a session", async () => {
    const [shop, other] = [await openOn(host), await openOn(host)];
    const victim = await heardOne(shop);
    const { _pid: pid } = victim.socket as unknown as { _pid: string };
    const offset = victim.heard[0]?.offset;
    victim.socket.io.reconnection(false);
    breakConnection(victim);
    await eventually(() => expect(shop.events.counts()).toMatchObject({ sockets: 0 }));
    shop.events.emit([event("a/secret")]);
    const elsewhere = host.client(other.id, { secret: other.secret, pid, offset });
    await elsewhere.entry;
    const without = host.client(shop.id, { pid, offset });
    expect(await without.entry).toMatchObject({ reason: "NO_CREDENTIALS" });
    shop.events.emit([event("a/later")]);
    other.events.emit([event("a/later")]);
    expect([without.heard, elsewhere.heard]).toEqual([[], []]);
    expect(elsewhere.socket.recovered).toBe(false);
  });
});
