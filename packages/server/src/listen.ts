import { constants, createServer as createHttp2Server } from "node:http2";
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  Http2Session,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { openPort } from "@skep/kit/connections.ts";
import type { PortOptions } from "@skep/kit/connections.ts";
import { awaitBody, createHttp1, endUnread } from "@skep/kit/http-listener.ts";
import type { HttpLimits, Listener } from "@skep/kit/http-listener.ts";
import type { HttpRequest, HttpResponse } from "./reply.ts";

/**
 * How an HTTP/2 client begins when it knows that the server speaks it; three bytes tell it from any
 * HTTP/1 method.
 */
const PREFACE = Buffer.from("PRI");

/** What a port of both HTTP versions holds for its clients. */
export interface ListenLimits extends HttpLimits {
  /** Requests at once on one HTTP/2 connection. */
  readonly streamsPerConnection: number;
}

/**
 * Serves HTTP/1.1 and HTTP/2 without TLS on one port: each connection is handed to the server whose
 * language its first bytes speak.
 * @throws the system's error where the port cannot be had.
 */
export async function listen(
  options: PortOptions & { readonly limits: ListenLimits },
  handle: (request: HttpRequest, response: HttpResponse) => void,
): Promise<Listener> {
  const { limits } = options;
  const http1 = createHttp1(limits, handle);
  const sessions = new Set<ServerHttp2Session>();
  const http2 = createHttp2(limits, sessions, handle);
  const open = await openPort(options, limits, socket =>
    sniff(socket, limits.headMs, isHttp2 => (isHttp2 ? http2 : http1).emit("connection", socket)),
  );
  return {
    port: open.port,
    close: async graceMs => {
      for (const session of sessions) session.close();
      await open.close(graceMs, () => http1.closeIdleConnections());
      http1.close();
    },
  };
}

function createHttp2(
  limits: ListenLimits,
  sessions: Set<ServerHttp2Session>,
  handle: (request: Http2ServerRequest, response: Http2ServerResponse) => void,
): ReturnType<typeof createHttp2Server> {
  const { streamsPerConnection: maxConcurrentStreams, bodyMs, sendMs } = limits;
  const server = createHttp2Server({ settings: { maxConcurrentStreams } }, (request, response) => {
    const { stream } = request;
    awaitBody(response, bodyMs, {
      isReceived: () => isReceived(stream),
      giveUp: () => {
        if (!response.headersSent) response.writeHead(408).end();
        stream.close(constants.NGHTTP2_CANCEL);
      },
    });
    endUnread(stream, sendMs, () => {
      const { session } = stream;
      stream.close(constants.NGHTTP2_CANCEL);
      if (session !== undefined) endUnreadable(session, sendMs);
    });
    handle(request, response);
  });
  server.on("session", session => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
    endUnused(session, limits);
  });
  return server;
}

/**
 * Ends a connection of which nothing is read, whichever stream it is for: a client that left one
 * stream alone answers a ping.
 */
function endUnreadable(session: Http2Session, withinMs: number): void {
  if (session.destroyed || session.closed) return;
  const timer = setTimeout(() => session.destroy(), withinMs);
  session.once("close", () => clearTimeout(timer));
  // Only so many pings may be under way; those that are ask the same.
  if (!session.ping(() => clearTimeout(timer))) clearTimeout(timer);
}

function isReceived(stream: ServerHttp2Stream): boolean {
  const { state } = stream.state;
  return (
    stream.endAfterHeaders ||
    state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE ||
    state === constants.NGHTTP2_STREAM_STATE_CLOSED
  );
}

/**
 * Ends a connection on which nothing is asked: soon where nothing ever was, later where something
 * was.
 */
function endUnused(session: ServerHttp2Session, { headMs, idleMs }: ListenLimits): void {
  let running = 0;
  let timer = setTimeout(() => session.destroy(), headMs);
  session.on("stream", stream => {
    running += 1;
    clearTimeout(timer);
    stream.once("close", () => {
      running -= 1;
      if (running > 0 || session.closed) return;
      clearTimeout(timer);
      timer = setTimeout(() => session.close(), idleMs);
    });
  });
  session.once("close", () => clearTimeout(timer));
}

/** Looks at the first bytes of a connection and puts them back. */
function sniff(socket: Socket, withinMs: number, decide: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), withinMs);
  socket.once("close", () => clearTimeout(timer));
  const look = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk]);
    const isPrefix = seen.subarray(0, PREFACE.length).equals(PREFACE.subarray(0, seen.length));
    if (isPrefix && seen.length < PREFACE.length) return;
    socket.off("data", look);
    socket.pause();
    clearTimeout(timer);
    socket.unshift(seen);
    decide(isPrefix);
    process.nextTick(() => socket.resume());
  };
  socket.on("data", look);
}
