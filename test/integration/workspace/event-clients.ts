import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createEventServer, type EventServer, type EventServerOptions } from "@skep/workspace/events/server.ts";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";

/** A server of events on a port of the loopback. */
export interface EventHost {
  readonly events: EventServer;
  readonly port: number;
  /** A client of a workspace; it connects at once and does not come back by itself. */
  client(workspaceId: string, auth: object, options?: Partial<ManagerOptions & SocketOptions>): Client;
  /** The same at any path. */
  clientAt(path: string, auth: object, options?: Partial<ManagerOptions & SocketOptions>): Client;
  close(): Promise<void>;
}

/** A client that keeps what it was told. */
export interface Client {
  readonly socket: Socket;
  readonly heard: { readonly topic: string; readonly data: unknown; readonly offset: string }[];
  readonly lost: { readonly because: string; readonly count?: number; readonly from: string; readonly to: string }[];
  readonly refused: { readonly reason: string; readonly limit?: string; readonly most?: number }[];
  /** Resolves with nothing once it is in, else with what the refusal says. */
  readonly entry: Promise<{ readonly reason?: string; readonly limit?: string; readonly message: string } | undefined>;
  /** Asks, and resolves with the answer. */
  ask(name: string, ...args: readonly unknown[]): Promise<Answer>;
}

/** What a request is answered with. */
export interface Answer {
  readonly ok: boolean;
  readonly reason?: string;
  readonly limit?: string;
  readonly most?: number;
  readonly filters?: readonly string[];
  readonly offset?: string;
  readonly gap?: { readonly from: string; readonly to: string };
}

/** Starts one. */
export async function startEventHost(options: Omit<EventServerOptions, "http"> = {}): Promise<EventHost> {
  const http: Server = createServer();
  const events = createEventServer({ ...options, http });
  await new Promise<void>(resolve => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const clients = new Set<Socket>();
  const clientAt: EventHost["clientAt"] = (path, auth, more = {}) => {
    const client = createClient(`http://127.0.0.1:${port}${path}`, auth, more);
    clients.add(client.socket);
    return client;
  };
  return {
    events,
    port,
    client: (workspaceId, auth, more) => clientAt(`/ws/${workspaceId}`, auth, more),
    clientAt,
    close: async () => {
      for (const socket of clients) socket.disconnect();
      await events.close();
      http.closeAllConnections();
      await new Promise(resolve => http.close(resolve));
    },
  };
}

function createClient(url: string, auth: object, more: Partial<ManagerOptions & SocketOptions>): Client {
  const socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false, auth, ...more });
  const [heard, lost, refused]: [Client["heard"], Client["lost"], Client["refused"]] = [[], [], []];
  socket.on(
    "event",
    (event: { topic: string; data: unknown }, offset: string) => void heard.push({ ...event, offset }),
  );
  socket.on("lost", (loss: Client["lost"][number]) => void lost.push(loss));
  socket.on("refused", (refusal: Client["refused"][number]) => void refused.push(refusal));
  const entry = new Promise<Awaited<Client["entry"]>>(resolve => {
    socket.once("connect", () => resolve(undefined));
    socket.once("connect_error", (error: Error & { data?: { reason: string } }) => {
      resolve({ ...error.data, message: error.message });
    });
  });
  return {
    socket,
    heard,
    lost,
    refused,
    entry,
    ask: async (name, ...args) => (await socket.timeout(5_000).emitWithAck(name, ...args)) as Answer,
  };
}

/** The TCP connection of a client. */
function wireOf({ socket }: Client): { pause(): void; resume(): void; destroy(): void } {
  const { transport } = socket.io.engine as unknown as { transport: { ws: { _socket: ReturnType<typeof wireOf> } } };
  return transport.ws._socket;
}

/** Lets a client read nothing until it resumes. */
export function pauseReading(client: Client): { resume(): void } {
  const wire = wireOf(client);
  wire.pause();
  return { resume: () => wire.resume() };
}

/** Breaks a client's connection as a network would. */
export function breakConnection(client: Client): void {
  wireOf(client).destroy();
}
