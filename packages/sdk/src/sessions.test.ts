import { connectNodeAdapter, createConnectTransport } from "@connectrpc/connect-node";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { createClient } from "./client.ts";
import { Sessions, withLeaving } from "./sessions.ts";

describe("connections of a client", () => {
  const server = createServer(
    connectNodeAdapter({
      routes: router =>
        router.service(PlatformService, {
          async *watchEvents(_, { signal }) {
            yield { events: [{ kind: "one" }] };
            yield { events: [{ kind: "two" }] };
            if (signal.aborted) throw new Error("left before the end was sent");
          },
          getStatus: async (_, { signal }) => {
            await new Promise(resolve => signal.addEventListener("abort", resolve, { once: true }));
            return {};
          },
        }),
    }),
  );
  beforeAll(() => new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => new Promise<void>(resolve => void server.close(() => resolve())));

  function connect(to = server) {
    const baseUrl = `http://127.0.0.1:${(to.address() as AddressInfo).port}`;
    const sessions = new Sessions(baseUrl);
    onTestFinished(() => sessions.abort());
    const transport = withLeaving(createConnectTransport({ baseUrl, httpVersion: "2", sessionManager: sessions }));
    return { api: createClient({ transport }), sessions };
  }

  it.each([
    ["has arrived unread", 100],
    ["has not arrived", 0],
  ])("have no stream left once a reader leaves one whose end %s", async (_, delayMs) => {
    const { api, sessions } = connect();
    for await (const { events } of api.platform.watchEvents({})) {
      expect(events[0]?.kind).toBe("one");
      expect(sessions.state()).toBe("open");
      await sleep(delayMs);
      break;
    }
    await vi.waitFor(() => expect(sessions.state()).toBe("idle"));
  });

  it.each(["a call", "a stream"])("have no stream left once something else than a platform answered %s", async what => {
    const other = createServer((_, response) => {
      response.writeHead(404, { "content-type": "text/plain" });
      response.end("404 page not found\n".repeat(10_000));
    });
    onTestFinished(() => void other.close());
    await new Promise<void>(resolve => other.listen(0, "127.0.0.1", resolve));
    const { api, sessions } = connect(other);
    const ask = async (): Promise<void> => {
      if (what === "a call") await api.platform.getStatus({});
      for await (const _ of api.platform.watchEvents({}));
    };
    await expect(ask()).rejects.toThrow("HTTP 404");
    await vi.waitFor(() => expect(sessions.state()).toBe("idle"));
  });

  it("have no stream left once a call ran out of time", async () => {
    const { api, sessions } = connect();
    await expect(api.platform.getStatus({}, { timeoutMs: 50 })).rejects.toMatchObject({ code: "deadline_exceeded" });
    await vi.waitFor(() => expect(sessions.state()).toBe("idle"));
  });
});
