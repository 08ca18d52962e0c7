import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { openPort, type ConnectionLimits, type PortOptions } from "./connections.ts";

/** A listening port. */
export interface Listener {
  readonly port: number;
  /** Takes no new work, waits for what runs, and cuts off what still runs after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/**
 * How long a port waits for a client, and how much it holds for clients, before it knows who they
 * are.
 */
export interface HttpLimits extends ConnectionLimits {
  /** Longest that the head of a request may take, the first one counted from the connection on. */
  readonly headMs: number;
  /** Longest that the body of a request may take. */
  readonly bodyMs: number;
  /** Longest that what was sent may wait for the client to take a piece of it. */
  readonly sendMs: number;
  /** How long a connection is kept on which nothing is asked. */
  readonly idleMs: number;
}

/** Enough for a busy port, and little enough that a stranger cannot fill it for long. */
export const HTTP_LIMITS: HttpLimits = {
  connections: 4_000,
  connectionsPerAddress: 500,
  headMs: 10_000,
  bodyMs: 30_000,
  sendMs: 60_000,
  idleMs: 120_000,
};

/** Makes the HTTP/1.1 server that takes connections from a port; it listens to none itself. */
export function createHttp1(
  limits: HttpLimits,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const server = createServer({
    keepAliveTimeout: limits.idleMs,
    headersTimeout: limits.headMs,
    // Bodies have the timer below, which serves both versions of HTTP.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(1_000, limits.headMs / 2),
  });
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    awaitBody(response, limits.bodyMs, {
      isReceived: () => request.complete,
      giveUp: () => {
        if (!response.headersSent) response.writeHead(408, { connection: "close" }).end();
        request.socket.destroySoon();
      },
    });
    endUnread(response, limits.sendMs, () => request.socket.destroy());
    handle(request, response);
  };
  server.on("request", take).on("checkContinue", take);
  // Only a server that listens checks the age of its requests.
  server.emit("listening");
  return server;
}

/** Gives a request up whose body is not there in time. */
export function awaitBody(
  response: { once(name: "close", handle: () => void): unknown },
  bodyMs: number,
  body: { readonly isReceived: () => boolean; readonly giveUp: () => void },
): void {
  if (body.isReceived()) return;
  const timer = setTimeout(() => {
    if (!body.isReceived()) body.giveUp();
  }, bodyMs);
  response.once("close", () => clearTimeout(timer));
}

/** An answer on its way to a client, of either HTTP version. */
interface Answer {
  readonly writableNeedDrain: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  on(name: "drain", handle: () => void): unknown;
  once(name: "close", handle: () => void): unknown;
}

/**
 * Ends an answer that its client does not read. Whatever makes the answer waits while the client
 * is slow, so it holds no more than a piece of it, but it would wait for ever.
 */
export function endUnread(answer: Answer, sendMs: number, end: () => void): void {
  let unreadMs = 0;
  const periodMs = sendMs / 4;
  const timer = setInterval(() => {
    const isWaiting = answer.writableNeedDrain || (answer.writableEnded && !answer.writableFinished);
    unreadMs = isWaiting ? unreadMs + periodMs : 0;
    if (unreadMs < sendMs) return;
    clearInterval(timer);
    end();
  }, periodMs);
  answer.on("drain", () => (unreadMs = 0));
  answer.once("close", () => clearInterval(timer));
}

/**
 * Serves HTTP/1.1 on a port.
 * @throws the system's error where the port cannot be had.
 */
export async function listenHttp1(
  options: PortOptions & { readonly limits?: Partial<HttpLimits> },
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Listener> {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const http = createHttp1(limits, handle);
  const open = await openPort(options, limits, socket => void http.emit("connection", socket));
  return {
    port: open.port,
    close: async graceMs => {
      await open.close(graceMs, () => http.closeIdleConnections());
      http.close();
    },
  };
}
