import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { duplexPair } from "node:stream";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Health } from "@skep/api/gen/grpc/health/v1/health_pb.ts";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Limits } from "./limits.ts";
import { startTestServer, TOKEN } from "./testing/test-server.ts";
import type { TestServer } from "./testing/test-server.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** An empty SETTINGS frame, with which a client's half of the connection is complete. */
const SETTINGS = "\0\0\0\x04\0\0\0\0\0";
/** What a client waits for here before it is called stuck. */
const LONG_MS = 5_000;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function start(limits: Partial<Limits>): Promise<TestServer> {
  const test = await startTestServer({ limits, readiness: { periodMs: 60_000 } });
  closers.push(() => test[Symbol.asyncDispose]());
  return test;
}

async function open(test: TestServer, text = ""): Promise<Socket> {
  const socket = connect(test.port, "127.0.0.1").setNoDelay(true);
  closers.push(() => socket.destroy());
  socket.on("error", () => socket.destroy());
  await once(socket, "connect");
  if (text !== "") socket.write(text, "latin1");
  return socket.resume();
}

/** Answers whether the other side has ended a connection within a time that no guard here needs. */
async function isEnded(socket: Socket): Promise<boolean> {
  if (socket.closed) return true;
  const ended = new AbortController();
  const late = sleep(LONG_MS, false, { signal: ended.signal }).catch(() => true);
  socket.once("close", () => ended.abort());
  return await late;
}

async function openHttp2(test: TestServer, socket?: Duplex): Promise<ClientHttp2Session> {
  const session = connectHttp2(test.url, socket === undefined ? {} : { createConnection: () => socket });
  session.on("error", () => session.destroy());
  closers.push(() => session.destroy());
  await once(session, "remoteSettings");
  return session;
}

describe("a client that does not go on", () => {
  it.each([
    ["says nothing", ""],
    ["stops before it is clear which HTTP it speaks", "PR"],
    ["stops in the middle of a head", "GET / HTTP/1.1\r\nHost: x\r\n"],
    ["greets in HTTP/2 and asks nothing", PREFACE + SETTINGS],
    ["stops in the middle of the greeting of HTTP/2", PREFACE.slice(0, 10)],
  ])("loses its connection: %s", { timeout: 15_000 }, async (_, text) => {
    const test = await start({ headMs: 200 });
    expect(await isEnded(await open(test, text))).toBe(true);
  });

  it("loses its connection though it sends a byte of the head now and then", { timeout: 15_000 }, async () => {
    const test = await start({ headMs: 300 });
    const socket = await open(test, "GET / HTTP/1.1\r\n");
    const drip = setInterval(() => socket.write("a"), 50);
    closers.push(() => clearInterval(drip));
    expect(await isEnded(socket)).toBe(true);
  });

  it("loses its connection in the second head as in the first", { timeout: 15_000 }, async () => {
    const test = await start({ headMs: 300 });
    const socket = await open(test, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
    socket.write("GET /livez HTTP/1.1\r\n");
    expect(await isEnded(socket)).toBe(true);
  });

  it("leaves no connection behind, 300 times, and others are served meanwhile", { timeout: 15_000 }, async () => {
    const test = await start({ headMs: 500 });
    const sockets = await Promise.all(Array.from({ length: 300 }, () => open(test, PREFACE + SETTINGS)));
    expect((await fetch(`${test.url}/livez`)).status).toBe(200);
    expect(await Promise.all(sockets.map(isEnded))).not.toContain(false);
  });

  it("loses an HTTP/2 connection on which it asks no more", { timeout: 15_000 }, async () => {
    const test = await start({ idleMs: 200, headMs: 60_000 });
    const session = await openHttp2(test);
    session.request({ ":path": "/livez" }).resume();
    await once(session, "close", { signal: AbortSignal.timeout(LONG_MS) });
  });
});

describe("a body that does not come", () => {
  const head = `POST /api/v1/tenants HTTP/1.1\r\nHost: x\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\n`;

  it("is not awaited for long over HTTP/1.1, though a byte of it comes now and then", { timeout: 15_000 }, async () => {
    const test = await start({ bodyMs: 300 });
    const socket = await open(test, `${head}content-length: 1000\r\n\r\n`);
    const drip = setInterval(() => socket.write(" "), 50);
    closers.push(() => clearInterval(drip));
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1.1 408/);
    expect(await isEnded(socket)).toBe(true);
  });

  it.each([
    "/api/v1/tenants",
    "/skep.v1.TenantService/CreateTenant",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  ])("is not awaited for long over HTTP/2: %s", { timeout: 15_000 }, async path => {
    const test = await start({ bodyMs: 300 });
    const session = await openHttp2(test);
    const type = path.includes("grpc") ? "application/grpc" : "application/json";
    const stream = session.request({
      ...{ ":method": "POST", ":path": path, "content-type": type, authorization: `Bearer ${TOKEN}` },
    });
    stream.on("error", () => undefined).resume();
    stream.write("{");
    await once(stream, "close", { signal: AbortSignal.timeout(LONG_MS) });
  });

  it("is not missed where all of it came: a stream of answers goes on", { timeout: 15_000 }, async () => {
    const test = await start({ bodyMs: 100 });
    const health = createClient(Health, createGrpcTransport({ baseUrl: test.url }));
    const left = new AbortController();
    const reading = (async () => {
      for await (const _ of health.watch({}, { signal: left.signal }));
    })().catch(() => left.signal.aborted);
    await sleep(400);
    left.abort();
    expect(await reading).toBe(true);
  });
});

describe("a client that takes too much", () => {
  it("gets no more connections than an address may have, and a freed one again", async () => {
    const test = await start({ connectionsPerAddress: 3 });
    const [first] = await Promise.all([open(test), open(test), open(test)]);
    expect(await isEnded(await open(test))).toBe(true);
    expect(test.log.lines.map(line => line.event)).toContain("connection.refused");
    first?.destroy();
    await vi.waitFor(async () => expect((await fetch(`${test.url}/livez`)).status).toBe(200));
  });

  it("gets no more connections than the port holds", async () => {
    const test = await start({ connections: 2 });
    await Promise.all([open(test), open(test)]);
    expect(await isEnded(await open(test))).toBe(true);
  });

  it("gets no more streams on a connection than are allowed", async () => {
    const test = await start({ streamsPerConnection: 5 });
    const session = await openHttp2(test);
    expect(session.remoteSettings.maxConcurrentStreams).toBe(5);
  });

  it("is told to wait when it asks too often, and is served again later", async () => {
    const test = await start({ requestsPerSecond: 5 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(`${test.url}/livez`)));
    const statuses = answers.map(answer => answer.status);
    expect(statuses.filter(status => status === 429).length).toBeGreaterThanOrEqual(1);
    expect(answers.find(answer => answer.status === 429)?.headers.get("retry-after")).toBe("1");
    await vi.waitFor(async () => expect((await fetch(`${test.url}/livez`)).status).toBe(200), 5_000);
  });

  it("has to wait after too many wrong tokens by any protocol, while a right one passes", async () => {
    const test = await start({ failedAuthsPerMinute: 3 });
    const headers = { authorization: "Bearer wrong" };
    for (let wrong = 0; wrong < 2; wrong++) expect((await test.send("/api/v1/tenants", { headers })).status).toBe(401);
    const connect = { method: "POST", body: "{}" };
    expect((await test.send("/skep.v1.TenantService/ListTenants", { ...connect, headers })).status).toBe(401);
    for (const [path, init] of [
      ["/api/v1/tenants", {}],
      ["/skep.v1.TenantService/ListTenants", connect],
    ] as const) {
      const refused = await test.send(path, { ...init, headers });
      expect(refused).toMatchObject({ status: 429, body: { code: "resource_exhausted" } });
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      // Somebody else behind the same address, a company's or a proxy's, has a valid token.
      expect((await test.send(path, init)).status).toBe(200);
    }
    expect((await fetch(`${test.url}/livez`)).status).toBe(200);
  });
});

describe("a client that does not read its answer", () => {
  const path = "/skep.v1.PlatformService/WatchEvents";
  const body = JSON.stringify({ nodeId: "flood" });
  const envelope = Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), Buffer.from(body)]);
  const fields = { authorization: `Bearer ${TOKEN}`, "content-type": "application/connect+json" };

  /** A connection over which nothing more comes once its far half is paused. */
  async function openStoppable(test: TestServer): Promise<readonly [Duplex, Socket]> {
    const far = await open(test);
    const [near, inner] = duplexPair();
    inner.pipe(far).pipe(inner);
    return [near, far];
  }

  async function openHttp1Stream(test: TestServer): Promise<Socket> {
    const socket = await open(test);
    const head = Object.entries({ host: "x", ...fields, "content-length": envelope.length });
    socket.write(`POST ${path} HTTP/1.1\r\n${head.map(([name, text]) => `${name}: ${text}\r\n`).join("")}\r\n`);
    socket.write(envelope);
    return socket;
  }

  it("loses its stream over HTTP/1.1, which made no more than a piece ahead", { timeout: 15_000 }, async () => {
    const test = await start({ sendMs: 400 });
    const socket = await openHttp1Stream(test);
    socket.pause();
    await vi.waitFor(() => expect(test.floods.running).toBe(1), LONG_MS);
    await vi.waitFor(() => expect(test.floods.running).toBe(0), LONG_MS);
    expect(test.floods.made * 64 * 1024).toBeLessThan(64 * 1024 * 1024);
    expect(await isEnded(socket.resume())).toBe(true);
  });

  it.each(["reads nothing of it", "reads nothing of its connection"])(
    "loses its stream over HTTP/2: it %s",
    { timeout: 15_000 },
    async what => {
      const test = await start({ sendMs: 400, connections: 2 });
      const [near, far] = await openStoppable(test);
      const session = await openHttp2(test, near);
      const stream = session.request({ ":method": "POST", ":path": path, ...fields });
      stream.on("error", () => undefined);
      stream.end(envelope);
      await vi.waitFor(() => expect(test.floods.running).toBe(1), LONG_MS);
      if (what.includes("connection")) far.unpipe().pause();
      await vi.waitFor(() => expect(test.floods.running).toBe(0), LONG_MS);
      // Where nothing at all is read the connection goes as well, and makes place for another.
      await open(test);
      const isStuck = what.includes("connection");
      if (isStuck) await vi.waitFor(async () => expect((await fetch(`${test.url}/livez`)).status).toBe(200), LONG_MS);
      else await sleep(1_000);
      expect(session.closed).toBe(false);
      expect(test.log.lines.filter(line => line.level === "error")).toEqual([]);
    },
  );

  it("keeps its stream for as long as it reads, however slowly", { timeout: 15_000 }, async () => {
    const test = await start({ sendMs: 2_000 });
    const socket = await openHttp1Stream(test);
    let read = 0;
    socket.on("data", (chunk: Buffer) => {
      read += chunk.length;
      socket.pause();
    });
    const slowly = setInterval(() => socket.resume(), 1);
    closers.push(() => clearInterval(slowly));
    await sleep(4_000);
    expect(test.floods.running).toBe(1);
    expect(read).toBeGreaterThan(0);
    expect(socket.closed).toBe(false);
  });
});

describe("a request without a token", () => {
  it("reaches no check behind /readyz and gRPC health, however often it comes", async () => {
    let checks = 0;
    const ready = { store: () => void checks++ };
    const test = await startTestServer({ ready, readiness: { periodMs: 60_000 } });
    closers.push(() => test[Symbol.asyncDispose]());
    await vi.waitFor(async () => expect((await fetch(`${test.url}/readyz`)).status).toBe(200));
    const health = createClient(Health, createGrpcTransport({ baseUrl: test.url }));
    for (let asked = 0; asked < 20; asked++) {
      await fetch(`${test.url}/readyz`);
      await health.check({});
    }
    expect(checks).toBe(1);
  });
});
