import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startEventHost, type Client, type EventHost } from "./event-clients.ts";
import { joinOn, openOn, type OpenWorkspace } from "./event-rooms.ts";

let host: EventHost;
let behindProxy: EventHost;

beforeAll(async () => {
  host = await startEventHost();
  behindProxy = await startEventHost({ trustedProxies: ["127.0.0.0/8"] });
});
afterAll(async () => {
  await host.close();
  await behindProxy.close();
});

async function guess(
  workspace: OpenWorkspace,
  times: number,
  from?: string,
  on = host,
): Promise<(string | undefined)[]> {
  const reasons: (string | undefined)[] = [];
  for (let i = 0; i < times; i++) {
    const client = attempt(on, workspace, { secret: `sk_guess_${i}` }, from);
    reasons.push((await client.entry)?.reason);
    client.socket.disconnect();
  }
  return reasons;
}

function attempt(on: EventHost, workspace: OpenWorkspace, auth: object, from?: string): Client {
  return on.client(workspace.id, auth, from === undefined ? {} : { extraHeaders: { "x-forwarded-for": from } });
}

describe("an address that guesses", () => {
  it("is kept out of the workspace, whatever it shows, until it is let in again; who is in stays", async () => {
    const [shop, neighbour] = [await openOn(host), await openOn(host)];
    const inside = await joinOn(host, shop);
    expect(new Set(await guess(shop, 10))).toEqual(new Set(["WRONG_SECRET"]));
    const right = host.client(shop.id, { secret: shop.secret });
    const refusal = await right.entry;
    expect(refusal).toMatchObject({ reason: "BANNED", retryInMs: expect.any(Number) });
    expect(shop.events.bans.list()).toMatchObject([{ address: "127.0.0.1", bans: 1 }]);
    expect(shop.events.counts()).toMatchObject({ banned: 1, "refused.WRONG_SECRET": 10, "refused.BANNED": 1 });
    // Who is in has shown the secret, and may share its address with whoever guesses.
    expect(await inside.ask("subscribe", "#")).toMatchObject({ ok: true });
    await joinOn(host, neighbour);
    expect(shop.events.bans.unban("127.0.0.1")).toBe(true);
    await joinOn(host, shop);
  });

  it("is the one that a trusted proxy tells, and no claim of its own", async () => {
    const shop = await openOn(behindProxy);
    await guess(shop, 10, "198.51.100.7, 203.0.113.9", behindProxy);
    expect(shop.events.bans.list().map(ban => ban.address)).toEqual(["203.0.113.9"]);
    const auth = { secret: shop.secret };
    expect(await attempt(behindProxy, shop, auth, "203.0.113.9").entry).toMatchObject({ reason: "BANNED" });
    expect(await attempt(behindProxy, shop, auth, "198.51.100.7").entry).toBeUndefined();
    const direct = await openOn(host);
    await guess(direct, 10, "203.0.113.9");
    expect(direct.events.bans.list().map(ban => ban.address)).toEqual(["127.0.0.1"]);
  });

  it("does not count an expired token as a guess", async () => {
    const shop = await openOn(host);
    const token = await shop.events.issueToken({ subject: "x", topics: ["#"], lifetimeMs: 1_000 });
    await new Promise(resolve => setTimeout(resolve, 1_100));
    for (let i = 0; i < 12; i++) {
      expect(await host.client(shop.id, { token }).entry).toMatchObject({ reason: "TOKEN_EXPIRED" });
    }
    expect(shop.events.bans.list()).toEqual([]);
  });
});

describe("an address that misuses the host", () => {
  it("is kept out of all of it before it is connected", async () => {
    const other = await startEventHost();
    try {
      const shop = await openOn(other);
      for (let i = 0; i < 10; i++)
        expect(await other.clientAt("/", {}).entry).toMatchObject({ reason: "NO_WORKSPACE" });
      expect(other.events.bans.list()).toMatchObject([{ address: "127.0.0.1" }]);
      expect(await other.client(shop.id, { secret: shop.secret }).entry).toMatchObject({ message: "websocket error" });
      other.events.bans.unban("127.0.0.1");
      await joinOn(other, shop);
    } finally {
      await other.close();
    }
  });

  it("is ended when it asks for workspaces without end over one connection", async () => {
    const other = await startEventHost();
    try {
      const shop = await openOn(other);
      const client = await joinOn(other, shop);
      for (let i = 0; i < 20_000; i++) client.socket.io._packet({ type: 0, nsp: `/ws/none${i}` } as never);
      await eventually(() => expect(client.socket.connected).toBe(false));
      expect(other.events.connections()).toBe(0);
    } finally {
      await other.close();
    }
  });
});
