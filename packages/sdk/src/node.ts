import { connect as connectTcp, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { bearer } from "./auth.ts";
import { createClient } from "./client.ts";
import type { SkepClient } from "./client.ts";
import { failover, readServers } from "./failover.ts";
import { Sessions, withLeaving } from "./sessions.ts";

/** Where the platform is, and the token for it. */
export interface ConnectOptions {
  /**
   * For example `http://127.0.0.1:7700`; several servers of one platform are separated by commas.
   */
  readonly url: string;
  readonly token?: string | (() => string | Promise<string>);
  /**
   * HTTP/2 by default: one connection, and a dead one is noticed by pings. `1.1` for proxies that
   * speak only that.
   */
  readonly httpVersion?: "1.1" | "2";
  /** Longest that a call that is no stream may take; 30 s by default. */
  readonly timeoutMs?: number;
  /**
   * Longest that a server may take to accept a connection before the next one is asked; 5 s by
   * default.
   */
  readonly connectTimeoutMs?: number;
  readonly interceptors?: readonly Interceptor[];
}

/** How often a connection is asked whether it lives, and how long the answer may take. */
const PINGS = { pingIntervalMs: 5_000, pingTimeoutMs: 5_000 };

/**
 * Makes a client for Node. Nothing is sent before the first call, and nothing needs to be closed. A
 * call goes on with the next server when one cannot be reached.
 * @throws SkepError `invalid_argument` where `url` names no server.
 */
export function connect(options: ConnectOptions): SkepClient {
  const transport = failover(readServers(options.url).map(url => ({ url, transport: createTransport(url, options) })));
  return createClient({ transport, timeoutMs: options.timeoutMs ?? 30_000 });
}

function createTransport(url: string, options: ConnectOptions): Transport {
  const interceptors = [
    ...(options.token === undefined ? [] : [bearer(options.token)]),
    ...(options.interceptors ?? []),
  ];
  const common = { baseUrl: url, interceptors, useBinaryFormat: true };
  if (options.httpVersion === "1.1") return createConnectTransport({ ...common, httpVersion: "1.1" });
  const sessionManager = new Sessions(url, PINGS, {
    createConnection: () => dial(new URL(url), options.connectTimeoutMs ?? 5_000),
  });
  return withLeaving(createConnectTransport({ ...common, httpVersion: "2", sessionManager }));
}

/** A connection that fails soon where nothing answers: a dead machine refuses nothing. */
function dial(url: URL, withinMs: number): Socket {
  const isTls = url.protocol === "https:";
  const host = url.hostname.replaceAll(/[[\]]/g, "");
  const to = { host, port: Number(url.port || (isTls ? 443 : 80)) };
  const named = isIP(host) === 0 ? { servername: host } : {};
  const socket = isTls ? connectTls({ ...to, ...named, ALPNProtocols: ["h2"] }) : connectTcp(to);
  const late = (): void => {
    const error = new Error(`no connection to ${url.host} within ${withinMs} ms`);
    socket.destroy(Object.assign(error, { code: "ETIMEDOUT", syscall: "connect" }));
  };
  const timer = setTimeout(late, withinMs);
  const settled = (): void => clearTimeout(timer);
  socket.once(isTls ? "secureConnect" : "connect", settled).once("close", settled);
  return socket;
}
