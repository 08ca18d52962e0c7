import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { ServerHttp2Session } from "node:http2";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { HttpRequest, HttpResponse } from "./reply.ts";

/** How an HTTP/2 client begins when it knows that the server speaks it; three bytes tell it from any HTTP/1 method. */
const PREFACE = Buffer.from("PRI");

/** A connection that sends nothing is closed after this time. */
const SILENCE_MS = 15_000;

/** A listening port. */
export interface Listener {
  readonly port: number;
  /** Takes no new work, waits for what runs, and cuts off what still runs after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Where to listen; `port` 0 takes a free one. */
export interface ListenOptions {
  readonly port: number;
  readonly host?: string;
}

/**
 * Serves HTTP/1.1 and HTTP/2 without TLS on one port: each connection is handed to the server whose language its
 * first bytes speak.
 * @throws the system's error where the port cannot be had.
 */
export async function listen(
  options: ListenOptions,
  handle: (request: HttpRequest, response: HttpResponse) => void,
): Promise<Listener> {
  const http1 = createHttp1Server({ keepAliveTimeout: 65_000 }, handle);
  http1.on("checkContinue", handle);
  // The HTTP/1 server never listens itself; this starts its check for requests that take too long to arrive.
  http1.emit("listening");
  const http2 = createHttp2Server({ settings: { maxConcurrentStreams: 1000 } }, handle);
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", session => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    sniff(socket, isHttp2 => (isHttp2 ? http2 : http1).emit("connection", socket));
  });
  await start(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: async graceMs => {
      server.close();
      for (const session of sessions) session.close();
      http1.closeIdleConnections();
      await gone(sockets, graceMs, () => http1.closeIdleConnections());
      for (const socket of sockets) socket.destroy();
      http1.closeAllConnections();
      http1.close();
    },
  };
}

function start(server: Server, { port, host }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Looks at the first bytes of a connection and puts them back. */
function sniff(socket: Socket, decide: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  const giveUp = (): void => void socket.destroy();
  socket.setTimeout(SILENCE_MS, giveUp);
  const look = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk]);
    const isPrefix = seen.subarray(0, PREFACE.length).equals(PREFACE.subarray(0, seen.length));
    if (isPrefix && seen.length < PREFACE.length) return;
    socket.off("data", look);
    socket.pause();
    socket.setTimeout(0, giveUp);
    socket.off("timeout", giveUp);
    socket.unshift(seen);
    decide(isPrefix);
    process.nextTick(() => socket.resume());
  };
  socket.on("data", look);
}

/** Waits until every connection is gone, but no longer than the grace. */
async function gone(sockets: ReadonlySet<Socket>, graceMs: number, nudge: () => void): Promise<void> {
  const until = performance.now() + graceMs;
  while (sockets.size > 0 && performance.now() < until) {
    nudge();
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
