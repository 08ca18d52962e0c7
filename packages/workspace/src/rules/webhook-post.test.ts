import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { guardedLookup } from "../guarded-lookup.ts";
import { createHttpPost } from "./webhook-post.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A server on this machine, and what posts to it by a name that leads there. */
async function begin(handler: Handler, allowed: readonly string[] = ["hooks.test"]) {
  const server = createServer((request, response) => void handler(request, response));
  let connections = 0;
  server.on("connection", () => (connections += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const resolve = guardedLookup(allowed, (_host, _options, done) => done(null, [{ address: "127.0.0.1", family: 4 }]));
  const http = createHttpPost(resolve);
  onTestFinished(async () => {
    http.close();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  const post = (protocol = "http", signal: AbortSignal = new AbortController().signal): Promise<number> => {
    const url = new URL(`${protocol}://hooks.test:${port}/in`);
    return http.post({ url, headers: { "skep-delivery": "1" }, body: Buffer.from('{"t":81}') }, signal);
  };
  return { post, connections: () => connections };
}

test("a body is posted, and its connection used again", async () => {
  const seen: string[] = [];
  const { post, connections } = await begin(async (request, response) => {
    const { method, url, headers } = request;
    seen.push([method, url, headers["skep-delivery"], headers["content-length"], await text(request)].join(" "));
    response.writeHead(202).end("thanks");
  });
  expect([await post(), await post()]).toEqual([202, 202]);
  expect(seen).toEqual(Array<string>(2).fill('POST /in 1 8 {"t":81}'));
  expect(connections()).toBe(1);
});

test("a redirect is not followed", async () => {
  let asked = 0;
  const { post } = await begin((_, response) => {
    asked += 1;
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  expect([await post(), asked]).toEqual([307, 1]);
});

test("a name that leads inside is not connected to", async () => {
  const { post, connections } = await begin((_, response) => void response.end(), []);
  await expect(post()).rejects.toMatchObject({ code: "EACCES" });
  expect(connections()).toBe(0);
});

test("https means TLS", async () => {
  const { post } = await begin((_, response) => void response.end());
  await expect(post("https")).rejects.toMatchObject({ code: "EPROTO" });
});

test("an answer without end is cut off, and no answer is given up", async () => {
  const { post } = await begin((_, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(16_384)));
    };
    response.on("drain", more);
    more();
  });
  expect(await post()).toBe(200);
  const silent = await begin(() => undefined);
  await expect(silent.post("http", AbortSignal.timeout(50))).rejects.toThrow();
});

test("an answer that stays in the middle of its body is the answer all the same", async () => {
  const { post } = await begin((_, response) => void response.writeHead(200).write("and"));
  expect(await post("http", AbortSignal.timeout(500))).toBe(200);
});
