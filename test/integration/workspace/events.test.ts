import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createLock } from "@skep/workspace/events/token.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChild } from "../../support/child.ts";
import { eventually } from "../../support/eventually.ts";
import { root } from "../../tidy/sources.ts";
import { pauseReading, startEventHost, type Client, type EventHost } from "./event-clients.ts";
import { event, joinOn, openOn, type OpenWorkspace } from "./event-rooms.ts";

let host: EventHost;

beforeAll(async () => {
  host = await startEventHost();
});
afterAll(() => host.close());

const open = (): Promise<OpenWorkspace> => openOn(host);
const enter = (workspace: OpenWorkspace, auth?: object): Promise<Client> => joinOn(host, workspace, auth);

describe("a workspace's events", () => {
  it("reach whoever asked for their topic, once, with bytes as bytes, and nobody else", async () => {
    const shop = await open();
    const [one, all, none] = [await enter(shop), await enter(shop), await enter(shop)];
    expect(await one.ask("subscribe", ["devices/d1/#", "devices/+/status"])).toMatchObject({ ok: true });
    expect(await all.ask("subscribe", { filters: "#" })).toMatchObject({ ok: true, filters: ["#"] });
    shop.events.emit([
      event("devices/d1/status", { on: true }),
      event("devices/d2/telemetry/location", { raw: new Uint8Array([1, 2]) }),
    ]);
    await eventually(() => expect(all.heard.length).toBe(2));
    expect(all.heard[1]).toMatchObject({ topic: "devices/d2/telemetry/location", data: { raw: Buffer.from([1, 2]) } });
    expect(one.heard).toMatchObject([{ topic: "devices/d1/status", data: { on: true }, at: 1 }]);
    expect(await one.ask("unsubscribe", ["devices/d1/#", "devices/+/status"])).toMatchObject({ ok: true, filters: [] });
    shop.events.emit([event("devices/d1/status")]);
    await eventually(() => expect(all.heard.length).toBe(3));
    expect([one.heard.length, none.heard.length]).toEqual([1, 0]);
    expect(shop.events.counts()).toMatchObject({ sockets: 3, subscriptions: 1, emitted: 3, delivered: 4, dropped: 0 });
  });

  it("are not heard by a neighbour, whatever it asks for", async () => {
    const [shop, neighbour] = [await open(), await open()];
    const [mine, other] = [await enter(shop), await enter(neighbour)];
    await mine.ask("subscribe", "#");
    for (const filter of ["#", `${shop.id}/#`, `/ws/${shop.id}/#`, `../${shop.id}/#`])
      await other.ask("subscribe", filter);
    shop.events.emit([event("devices/d1/status")]);
    await eventually(() => expect(mine.heard.length).toBe(1));
    neighbour.events.emit([event("devices/n/status")]);
    await eventually(() => expect(other.heard.map(one => one.topic)).toEqual(["devices/n/status"]));
    expect(mine.heard.length).toBe(1);
  });

  it("that cannot be sent are counted and said, and keep no other back", async () => {
    const shop = await open();
    const client = await enter(shop);
    await client.ask("subscribe", "#");
    shop.events.emit([event("a", 1n), event("b")]);
    await eventually(() => expect(client.heard.map(one => one.topic)).toEqual(["b"]));
    expect(shop.events.counts()).toMatchObject({ unreadable: 1, emitted: 1 });
    expect(shop.events.health().lastError).toContain("An event of a was not sent");
  });
});

describe("who comes in", () => {
  it("has the secret, or a token, and hears what the token allows", async () => {
    const shop = await open();
    const token = await shop.events.issueToken({ subject: "map", topics: ["devices/d1/#"], lifetimeMs: 60_000 });
    const client = await enter(shop, { token });
    expect(await client.ask("subscribe", "devices/d1/status")).toMatchObject({ ok: true });
    for (const filter of ["#", "devices/+/status", "devices/d2/status"]) {
      expect(await client.ask("subscribe", ["devices/d1/x", filter])).toMatchObject({
        ok: false,
        reason: "NOT_ALLOWED",
      });
    }
    shop.events.emit([event("devices/d2/status"), event("devices/d1/x"), event("devices/d1/status")]);
    await eventually(() => expect(client.heard.map(one => one.topic)).toEqual(["devices/d1/status"]));
    expect(shop.events.counts()).toMatchObject({ subscriptions: 1, "refused.NOT_ALLOWED": 3 });
  });

  it("is told why it may not, and the reason is counted", async () => {
    const [shop, other] = [await open(), await open()];
    const lock = createLock(shop.id, shop.secret, () => Date.now() - 10_000);
    const request = { subject: "x", topics: ["#"], lifetimeMs: 5_000 };
    const attempts: readonly (readonly [object, string])[] = [
      [{}, "NO_CREDENTIALS"],
      [{ secret: "sk_wrong" }, "WRONG_SECRET"],
      [{ secret: other.secret }, "WRONG_SECRET"],
      [{ token: await lock.issue(request) }, "TOKEN_EXPIRED"],
      [{ token: await other.events.issueToken(request) }, "TOKEN_OF_ANOTHER_WORKSPACE"],
    ];
    for (const [auth, reason] of attempts) {
      const client = host.client(shop.id, auth);
      expect((await client.entry)?.reason).toBe(reason);
      expect(shop.events.counts()).toMatchObject({
        [`refused.${reason}`]: reason === "WRONG_SECRET" ? expect.any(Number) : 1,
      });
    }
    expect(shop.events.counts()).toMatchObject({ sockets: 0, "refused.WRONG_SECRET": 2, refused: 5 });
  });

  it("must go when its token ends", async () => {
    const shop = await open();
    const token = await shop.events.issueToken({ subject: "map", topics: ["#"], lifetimeMs: 1_500 });
    const client = await enter(shop, { token });
    await eventually(() => expect(client.socket.connected).toBe(false));
    expect(client.refused).toMatchObject([{ reason: "TOKEN_EXPIRED" }]);
  });

  it("finds nothing outside of workspaces", async () => {
    expect(await host.client("nowhere", {}).entry).toMatchObject({ message: "Invalid namespace" });
    expect(await host.client("../", {}).entry).toMatchObject({ message: "Invalid namespace" });
    const polls = host.clientAt("/", {}, { transports: ["polling"] });
    expect(await polls.entry).toMatchObject({ message: "xhr poll error" });
    expect(await host.clientAt("/", {}).entry).toMatchObject({ reason: "NO_WORKSPACE" });
  });
});

describe("a workspace that is closed", () => {
  it("ends its sockets with a reason, and can be opened again", async () => {
    const shop = await open();
    const [one, two] = [await enter(shop), await enter(shop)];
    await shop.events.close();
    await shop.events.close();
    await eventually(() => expect([one.socket.connected, two.socket.connected]).toEqual([false, false]));
    expect(one.refused).toMatchObject([{ reason: "WORKSPACE_CLOSED" }]);
    expect(shop.events.counts()).toMatchObject({ sockets: 0, subscriptions: 0 });
    expect(shop.events.health().isConnected).toBe(false);
    expect(await host.client(shop.id, { secret: shop.secret }).entry).toMatchObject({ message: "Invalid namespace" });
    const again = await host.events.open(shop);
    await expect(host.events.open(shop)).rejects.toMatchObject({ reason: "EVENTS_OPEN" });
    await enter(shop);
    expect(again.counts()).toMatchObject({ sockets: 1 });
  });

  it("leaves a connection that another workspace uses, and no other", async () => {
    const [shop, other] = [await open(), await open()];
    const client = await enter(shop);
    const second = client.socket.io.socket(`/ws/${other.id}`, { auth: { secret: other.secret } });
    await new Promise<void>(resolve => void second.once("connect", () => resolve()));
    await shop.events.close();
    await eventually(() => expect(client.socket.connected).toBe(false));
    other.events.setLimits({ sockets: 5, events: 5, channels: 5 });
    expect(await second.timeout(2_000).emitWithAck("subscribe", "#")).toMatchObject({ ok: true });
    await other.events.close();
    await eventually(() => expect(client.socket.io.engine.readyState).toBe("closed"));
  });

  it("is closed although a socket does not read", async () => {
    const shop = await open();
    const client = await enter(shop);
    pauseReading(client);
    await client.socket
      .timeout(1)
      .emitWithAck("subscribe", "#")
      .catch(() => undefined);
    const connections = host.events.connections();
    shop.events.emit(Array.from({ length: 90 }, () => event("a", "x".repeat(100_000))));
    // WebSocket itself waits 30 s for the client's farewell.
    const closed = shop.events.close().then(() => "closed");
    expect(await Promise.race([closed, sleep(10_000)])).toBe("closed");
    await eventually(() => expect(host.events.connections()).toBeLessThan(connections));
  });
});

describe("the client of the package's README", () => {
  it("hears events as they come", async () => {
    const shop = await open();
    const readme = await readFile(join(root, "packages/workspace/README.md"), "utf8");
    const [, code = ""] = /```js\n(import \{ io \}.*?)```/s.exec(readme) ?? [];
    // No edge leads here: the server of sockets is asked at its own path.
    const program = code
      .replace("https://edge.example.com/ws/mx-1", `http://127.0.0.1:${host.port}/ws/${shop.id}`)
      .replace('"/ws/mx-1/socket.io"', '"/socket.io"');
    expect(program).not.toContain("mx-1");
    const token = await shop.events.issueToken({ subject: "readme", topics: ["devices/#"], lifetimeMs: 60_000 });
    const child = startChild(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: join(root, "test"),
      env: { ...process.env, TOKEN: token },
    });
    try {
      await eventually(() => expect(child.output()).toContain("devices/+/telemetry/#"));
      shop.events.emit([event("devices/d1/telemetry/location", { lat: 1.5 })]);
      await eventually(() => expect(child.output()).toContain("devices/d1/telemetry/location 1 { lat: 1.5 }"));
    } finally {
      await child.end();
    }
  });
});
