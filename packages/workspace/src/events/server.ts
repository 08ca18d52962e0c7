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
import { namespaceOf } from "@skep/core/workspace/reach.ts";
import { Refusal } from "./refusal.ts";
import { SESSION_MS } from "./sessions.ts";
import type { Sharing } from "./sharing.ts";
import { createUsers, type Users } from "./users.ts";
import { QUEUE_SIZE, type QueueSize } from "./wire.ts";
import { openWorkspaceEvents, type EventWorkspace, type WorkspaceEvents } from "./workspace-events.ts";

/** What the events of a host stand on. */
export interface EventServerOptions {
  /** Listens where sockets come in; requests of Socket.IO's path are taken from it. */
  readonly http: HttpServer;
  /** Networks of the proxies whose `X-Forwarded-For` is taken for true; none by default. */
  readonly trustedProxies?: readonly string[];
  /** The workspace whose path a connection came by; it reaches no other one. */
  readonly cameFor?: (request: IncomingMessage) => WorkspaceId | undefined;
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

/** Makes one. */
export function createEventServer(options: EventServerOptions): EventServer {
  const clock = options.clock ?? systemClock;
  const addressOf = addressReader(options.trustedProxies ?? []);
  const bans = createBans(() => clock.monotonic());
  const connections = new Set<HostConnection>();
  const io = serve(options.http, { clock, bans, addressOf, connections });
  const users = createUsers(clock);
  const open = new Map<WorkspaceId, WorkspaceEvents>();
  const host = {
    clock,
    log: options.log ?? LOG_SIZE,
    queue: options.queue ?? QUEUE_SIZE,
    addressOf: (socket: Socket) => addressOf(socket.request),
    sharing: options.sharing,
    end: users.end,
    remove: (namespace: Namespace, sockets: readonly Socket[]) => {
      io._nsps.delete(namespace.name);
      namespace.removeAllListeners();
      return users.gone(sockets);
    },
  };

  return {
    bans,
    connections: () => connections.size,
    open: async workspace => {
      const { id } = workspace;
      const name = namespaceOf(id);
      if (io._nsps.has(name)) {
        throw new SkepError("already_exists", "EVENTS_OPEN", `The events of workspace ${id} are open already.`);
      }
      const namespace = openNamespace(io, name, users);
      namespace.use((socket, next) => {
        const cameFor = options.cameFor?.(socket.request) ?? id;
        if (cameFor === id) return next();
        bans.offend(addressOf(socket.request));
        next(new Refusal("NO_WORKSPACE", `This path leads to ${namespaceOf(cameFor)} only.`));
      });
      const events = await openWorkspaceEvents(host, namespace, workspace);
      open.set(id, events);
      return events;
    },
    close: async () => {
      await Promise.all([...open.values()].map(events => events.close()));
      io.engine.close();
      for (const connection of connections) connection.request.socket.destroy();
      await options.sharing?.close();
    },
  };
}

type AddressOf = (request: IncomingMessage) => string;

function addressReader(networks: readonly string[]): AddressOf {
  const trusted = trustProxies(networks);
  return ({ headers, socket }) => {
    const forwarded = headers["x-forwarded-for"];
    const text = Array.isArray(forwarded) ? forwarded.join(",") : forwarded;
    return clientAddress(socket.remoteAddress ?? "", text, trusted);
  };
}

type HostConnection = Connection & { readonly request: IncomingMessage };

/** What all of a host's connections share. */
interface Surroundings {
  readonly clock: Clock;
  readonly bans: Bans;
  readonly addressOf: AddressOf;
  readonly connections: Set<HostConnection>;
}

/** Socket.IO, with nothing open in it. */
function serve(http: HttpServer, { clock, bans, addressOf, connections }: Surroundings): Server {
  const door = createDoor(clock, bans);
  const io = new Server(http, {
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
  io.engine.on("connection", (connection: HostConnection) => {
    const { socket } = connection.request;
    const address = addressOf(connection.request);
    connections.add(connection);
    socket.once("close", () => connections.delete(connection));
    boundConnection(connection, clock, () => {
      bans.offend(address);
      socket.destroy();
    });
  });
  return io;
}

function openNamespace(io: Server, name: string, users: Users): Namespace {
  const namespace = io.of(name);
  namespace.on("connection", users.follow);
  return namespace;
}
