import type { Buffer } from "node:buffer";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "@skep/kit/clock.ts";
import { createWebSocketStream, WebSocketServer } from "ws";
import { readProxyHeader } from "./proxy-header.ts";

/** Where devices come in. */
export interface ListenOptions {
  readonly port: number;
  readonly host?: string;
  /** Whether each connection begins with what a proxy says of it. One without is not served. */
  readonly behindProxy: boolean;
  /** Connections at once; more are closed as they come. */
  readonly most: number;
  /** Bytes of the largest packet. */
  readonly mostBytes: number;
  readonly clock: Clock;
  readonly serve: (device: Duplex, address: string) => void;
}

/** A port that listens. */
export interface Entry {
  readonly port: number;
  /** Connections at present. */
  readonly size: number;
  close(): Promise<void>;
}

const HEADER_MS = 5_000;

/** Plain MQTT. */
export function listenMqtt(options: ListenOptions): Promise<Entry> {
  return listen(options, (socket, address) => options.serve(socket, address));
}

/** MQTT over WebSocket, on any path. */
export async function listenWebSocket(options: ListenOptions): Promise<Entry> {
  const sockets = new WebSocketServer({
    ...{ noServer: true, maxPayload: options.mostBytes, perMessageDeflate: false, clientTracking: false },
    handleProtocols: offered => (offered.has("mqtt") ? "mqtt" : offered.has("mqttv3.1") ? "mqttv3.1" : false),
  });
  const addresses = new WeakMap<object, string>();
  const http = createHttpServer({ maxHeaderSize: 8_192 }, (_request, response) => {
    response.writeHead(426, { connection: "close", upgrade: "websocket" });
    response.end("This is MQTT over WebSocket: connect with the subprotocol `mqtt`.\n");
  });
  http.headersTimeout = HEADER_MS;
  http.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, one => {
      const stream = createWebSocketStream(one);
      stream.once("close", () => one.terminate());
      options.serve(stream, addresses.get(socket) ?? "");
    });
  });
  return listen(options, (socket, address) => {
    addresses.set(socket, address);
    http.emit("connection", socket);
  });
}

async function listen(options: ListenOptions, take: (socket: Socket, address: string) => void): Promise<Entry> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, socket => {
    if (open.size >= options.most) return void socket.destroy();
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => open.delete(socket));
    if (options.behindProxy) readAddress(socket, options.clock, take);
    else take(socket, socket.remoteAddress ?? "");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    get size() {
      return open.size;
    },
    close: () => close(server, open),
  };
}

/** Reads what the proxy says at the front, and hands over the rest as if nothing had been there. */
function readAddress(socket: Socket, clock: Clock, take: (socket: Socket, address: string) => void): void {
  const cancel = clock.timer(HEADER_MS, () => socket.destroy());
  socket.once("close", cancel);
  const read = (): void => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    const header = readProxyHeader(bytes);
    if (header === undefined) return void socket.destroy();
    if (header === "wait") return socket.unshift(bytes);
    socket.off("readable", read);
    cancel();
    const rest = bytes.subarray(header.length);
    if (rest.length > 0) socket.unshift(rest);
    take(socket, header.address ?? socket.remoteAddress ?? "");
    socket.resume();
  };
  socket.on("readable", read);
}

function close(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    for (const socket of open) socket.destroy();
  });
}
