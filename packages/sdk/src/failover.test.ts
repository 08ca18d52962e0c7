import { connectNodeAdapter } from "@connectrpc/connect-node";
import { toConnectError } from "@skep/api/codec/error.ts";
import { PlatformService, type WatchEventsResponse } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { once } from "node:events";
import { createServer, type ServerHttp2Session } from "node:http2";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { readServers } from "./failover.ts";
import { connect } from "./node.ts";
import { watch } from "./watch.ts";

/** What a server does with a call: an error to answer, or `die` to end without an answer. */
type Conduct = SkepError | "die" | undefined;

const away = new SkepError("unavailable", "DATABASE_AWAY", "The database does not answer.");
const stale = new SkepError("aborted", "STALE", "Somebody else changed it.");
const missing = new SkepError("not_found", "NO_TENANT", "There is no tenant acme.");

/** A scheduler on a real port that counts what it is asked. */
async function serve(conduct: () => Conduct = () => undefined, port = 0) {
  const asked: string[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const act = (what: string): void => {
    asked.push(what);
    const now = conduct();
    if (now === "die") stop();
    else if (now !== undefined) throw toConnectError(now);
  };
  const server = createServer(
    connectNodeAdapter({
      routes: router => {
        router.service(TenantService, {
          getTenant: ({ tenantId }) => (act("get"), { tenant: { id: tenantId } }),
          createTenant: ({ tenantId }) => (act("create"), { tenant: { id: tenantId } }),
        });
        router.service(PlatformService, {
          recover: () => (act("recover"), {}),
          async *watchEvents(_, { signal }) {
            act("watch");
            yield { events: [{ kind: String((server.address() as AddressInfo).port) }] };
            await new Promise(resolve => signal.addEventListener("abort", resolve, { once: true }));
          },
        });
      },
    }),
  );
  server.on("session", session => {
    sessions.add(session);
    session.on("error", () => undefined);
  });
  const stop = (): void => {
    server.close();
    for (const session of sessions) session.destroy();
  };
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, stop };
}

/** An address at which nobody listens. */
async function nobody(): Promise<string> {
  const one = await serve();
  one.stop();
  return one.url;
}

const to = (...urls: string[]) => connect({ url: urls.join(","), connectTimeoutMs: 300, timeoutMs: 5_000 });
const tenantId = "acme";

describe("a client of several servers", () => {
  it("goes on with the next where one refuses, and keeps to the one that answered", async () => {
    const dead = await nobody();
    const second = await serve();
    const { tenants } = to(dead, second.url);
    await tenants.createTenant({ tenantId });
    const first = await serve(undefined, Number(new URL(dead).port));
    await tenants.getTenant({ tenantId });
    expect([first.asked, second.asked]).toEqual([[], ["create", "get"]]);
    second.stop();
    await tenants.createTenant({ tenantId });
    expect(first.asked).toEqual(["create"]);
  });

  it("goes on where a server accepts a connection and then says nothing", async () => {
    const silent = createTcpServer(() => undefined).listen(0, "127.0.0.1");
    onTestFinished(() => void silent.close());
    await once(silent, "listening");
    const second = await serve();
    await to(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`, second.url).tenants.createTenant({
      tenantId,
    });
    expect(second.asked).toEqual(["create"]);
  });

  it.each<[string, Conduct]>([
    ["dies before it answers", "die"],
    ["says that it is away", away],
  ])("repeats elsewhere what may be repeated when a server %s, and nothing else", async (_, conduct) => {
    const [one, two, three] = [await serve(() => conduct), await serve(() => conduct), await serve()];
    await to(one.url, three.url).tenants.getTenant({ tenantId });
    await to(two.url, three.url).tenants.createTenant({ tenantId, idempotencyKey: "k-1" });
    expect([one.asked, two.asked, three.asked]).toEqual([["get"], ["create"], ["get", "create"]]);
    const last = await serve(() => conduct);
    const unkeyed = to(last.url, three.url);
    await expect(unkeyed.tenants.createTenant({ tenantId })).rejects.toMatchObject({ code: "unavailable" });
    expect([last.asked, three.asked]).toEqual([["create"], ["get", "create"]]);
    await unkeyed.tenants.createTenant({ tenantId });
    expect(three.asked).toEqual(["get", "create", "create"]);
  });

  it("repeats nothing for a key in the header that no server would heed", async () => {
    const [first, second] = [await serve(() => "die"), await serve()];
    const headers = { "idempotency-key": "k" };
    const { platform } = to(first.url, second.url);
    await expect(platform.recover({}, { headers })).rejects.toMatchObject({ code: "unavailable" });
    expect([first.asked, second.asked]).toEqual([["recover"], []]);
  });

  it.each([stale, missing])("takes an answer for an answer: $code", async answer => {
    const [first, second] = [await serve(() => answer), await serve()];
    const asking = to(first.url, second.url).tenants.createTenant({ tenantId, idempotencyKey: "k" });
    await expect(asking).rejects.toMatchObject({ code: answer.code, reason: answer.reason });
    expect(second.asked).toEqual([]);
  });

  it("names every server that it tried where none answers", async () => {
    const dead = await nobody();
    const full = await serve(() => away);
    const error = await to(dead, full.url)
      .tenants.getTenant({ tenantId })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "unavailable", reason: "NO_SERVER_ANSWERS" });
    expect((error as Error).message).toMatch(`${dead} (connect ECONNREFUSED`);
    expect((error as Error).message).toMatch(`${full.url} (The database does not answer.)`);
  });

  it("opens a stream elsewhere that fails at once, and again where one breaks", async () => {
    const [first, second, third] = [await serve(() => away), await serve(), await serve()];
    const { platform } = to(first.url, second.url, third.url);
    const kinds: string[] = [];
    const events = watch<WatchEventsResponse>((_, signal) => platform.watchEvents({}, { signal }), { delayMs: 1 });
    for await (const message of events) {
      kinds.push(...message.events.map(event => event.kind));
      if (kinds.length === 2) break;
      second.stop();
    }
    expect(kinds.map(kind => `http://127.0.0.1:${kind}`)).toEqual([second.url, third.url]);
  });
});

it("reads servers from a text, and refuses one without any", () => {
  expect(readServers(" http://a:1, http://b:2,")).toEqual(["http://a:1", "http://b:2"]);
  expect(() => readServers(" , ")).toThrow(/No server is named/);
});
