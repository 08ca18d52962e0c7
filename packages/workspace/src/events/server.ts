import type { IncomingMessage, Server as HttpServer } from "node:http";
import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { systemClock, type Clock } from "@skep/kit/clock.ts";
import { Server, type Namespace, type Socket } from "socket.io";
import { Adapter } from "socket.io-adapter";
import { clientAddress, trustProxies } from "./address.ts";
import { createBans, type Bans } from "./bans.ts";
import { boundConnection, type Connection } from "./connection.ts";
import { createDoor } from "./door.ts";
import { LOG_SIZE, type LogSize } from "./event-log.ts";
import { namespaceOf } from "./namespace.ts";
import { Refusal } from "./refusal.ts";
import { SESSION_MS } from "./sessions.ts";
import type { Sharing } from "./sharing.ts";
import { QUEUE_SIZE, type QueueSize } from "./wire.ts";
import { openWorkspaceEvents, type EventWorkspace, type WorkspaceEvents } from "./workspace-events.ts";

/** What the events of a host stand on. */
export interface EventServerOptions {
  /** Listens where sockets come in; requests of Socket.IO's path are taken from it. */
  readonly http: HttpServer;
  /** Networks of the proxies in front, whose `X-Forwarded-For` is taken for true; none by default. */
  readonly trustedProxies?: readonly string[];
  /** Shares events with the other replicas; without it this host is the only one. */
  readonly sharing?: Sharing;
  readonly clock?: Clock;
  /** How much of the past each workspace keeps. */
  readonly log?: LogSize;
  /** How much may wait for each socket that reads slowly. */
  readonly queue?: QueueSize;
}

/** The Socket.IO server that all workspaces of a host share, a namespace for each (R45). */
export interface EventServer {
  /**
   * Lets sockets into a workspace.
   * @throws SkepError where it is open already.
   */
  open(workspace: EventWorkspace): Promise<WorkspaceEvents>;
  /** Addresses that are kept out of the whole host. */
  readonly bans: Bans;
  /** Connections, whether or not they are in a workspace. */
  connections(): number;
  /** Closes what is open and ends all connections; the HTTP server stays its owner's. */
  close(): Promise<void>;
}

/** Clients only ask; what they are told may be larger. */
const LONGEST_REQUEST = 64 * 1024;
/** How long a connection may be in no workspace. */
const CONNECT_MS = 10_000;
/** How long a close waits for clients to take what was sent to them. */
const GRACE_MS = 1_000;

/** Makes one. */
export function createEventServer(options: EventServerOptions): EventServer {
  const clock = options.clock ?? systemClock;
  const trusted = trustProxies(options.trustedProxies ?? []);
  const bans = createBans(() => clock.monotonic());
  const door = createDoor(clock, bans);
  const open = new Map<WorkspaceId, WorkspaceEvents>();

  const addressOf = (request: IncomingMessage): string => {
    const forwarded = request.headers["x-forwarded-for"];
    const text = Array.isArray(forwarded) ? forwarded.join(",") : forwarded;
    return clientAddress(request.socket.remoteAddress ?? "", text, trusted);
  };

  const io = new Server(options.http, {
    // One connection is one socket: with polling each request would have to reach the same replica.
    transports: ["websocket"],
    serveClient: false,
    adapter: Adapter,
    maxHttpBufferSize: LONGEST_REQUEST,
    perMessageDeflate: false,
    connectTimeout: CONNECT_MS,
    // Whoever comes back is asked for credentials like anybody.
    connectionStateRecovery: { maxDisconnectionDuration: SESSION_MS, skipMiddlewares: false },
    allowRequest: (request, answer) => {
      const refusal = door.refuse(addressOf(request));
      answer(refusal ?? null, refusal === undefined);
    },
  });
  io.use((socket, next) => {
    bans.offend(addressOf(socket.request));
    next(new Refusal("NO_WORKSPACE", `Nothing is here: connect to ${namespaceOf("<workspace>")}.`));
  });

  io.engine.on("connection", (connection: Connection & { readonly request: IncomingMessage }) => {
    const address = addressOf(connection.request);
    boundConnection(connection, clock, () => void bans.offend(address));
  });

  const users = new WeakMap<object, number>();
  function follow(socket: Socket): void {
    users.set(socket.conn, (users.get(socket.conn) ?? 0) + 1);
    socket.once("disconnect", () => users.set(socket.conn, (users.get(socket.conn) ?? 1) - 1));
  }

  function end(socket: Socket): void {
    socket.disconnect();
    if ((users.get(socket.conn) ?? 0) === 0) socket.conn.close();
  }

  async function remove(namespace: Namespace, sockets: readonly Socket[]): Promise<void> {
    io._nsps.delete(namespace.name);
    namespace.removeAllListeners();
    const until = clock.monotonic() + GRACE_MS;
    const isLeft = ({ conn, request }: Socket): boolean => (users.get(conn) ?? 0) === 0 && !request.socket.destroyed;
    while (sockets.some(isLeft) && clock.monotonic() < until) await clock.sleep(10);
    for (const socket of sockets.filter(isLeft)) socket.request.socket.destroy();
  }

  const host = {
    clock,
    log: options.log ?? LOG_SIZE,
    queue: options.queue ?? QUEUE_SIZE,
    addressOf: (socket: Socket) => addressOf(socket.request),
    sharing: options.sharing,
    end,
    remove,
  };

  return {
    bans,
    connections: () => io.engine.clientsCount,
    open: async workspace => {
      const { id } = workspace;
      if (open.has(id) || io._nsps.has(namespaceOf(id))) {
        throw new SkepError("already_exists", "EVENTS_OPEN", `The events of workspace ${id} are open already.`);
      }
      const namespace = io.of(namespaceOf(id));
      namespace.on("connection", follow);
      const events = await openWorkspaceEvents(host, namespace, workspace);
      const close = async (): Promise<void> => {
        await events.close();
        if (open.get(id) === handed) open.delete(id);
      };
      const handed: WorkspaceEvents = { ...events, close };
      open.set(id, handed);
      return handed;
    },
    close: async () => {
      await Promise.all([...open.values()].map(events => events.close()));
      io.disconnectSockets(true);
      io.engine.close();
      await options.sharing?.close();
    },
  };
}
