import { SkepError } from "@skep/core/error.ts";
import type { ResourceLimits, WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Namespace, Socket } from "socket.io";
import type { WorkspaceEvent } from "../message.ts";
import type { Events } from "../parts.ts";
import { createBans, type Bans } from "./bans.ts";
import { numbersOf } from "./counts.ts";
import { encodeEvent } from "./encode.ts";
import { readOffset, type LogEntry } from "./event-log.ts";
import { createGate, type Gate } from "./gate.ts";
import { Room, type RoomOptions } from "./room.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import type { SharedWorkspace, Sharing } from "./sharing.ts";
import type { TokenRequest } from "@skep/core/workspace/token-request.ts";
import { createLock } from "./token.ts";

/** Whose events they are. */
export interface EventWorkspace {
  readonly id: WorkspaceId;
  /** What opens everything (`access.secret` of the connector). */
  readonly secret: string;
  readonly limits: ResourceLimits;
}

/** The events of one workspace (R45..R48). */
export interface WorkspaceEvents extends Events {
  /** A token for some topics and some time, for a program that must not know the secret. */
  issueToken(request: TokenRequest): Promise<string>;
  /** Who is kept out of this workspace, and the way to let somebody in again (R123). */
  readonly bans: Bans;
}

/** What the workspaces of a host share. */
export interface HostSurroundings extends Omit<RoomOptions, "limits" | "flood"> {
  readonly sharing: Sharing | undefined;
  /** Takes the namespace away and waits until the connections of those sockets are gone. */
  readonly remove: (namespace: Namespace, sockets: readonly Socket[]) => Promise<void>;
}

/** Opens the events of a workspace in its namespace. */
export async function openWorkspaceEvents(
  host: HostSurroundings,
  namespace: Namespace,
  workspace: EventWorkspace,
): Promise<WorkspaceEvents> {
  const { clock, sharing } = host;
  const bans = createBans(() => clock.monotonic());
  const lock = createLock(workspace.id, workspace.secret, () => clock.now());
  const room = new Room({ ...host, limits: workspace.limits, flood: address => gate.offend(address) });
  const gate = createGate({ clock, bans, lock, room, addressOf: host.addressOf });
  const shared = await sharing?.open(workspace.id, {
    begin: offset => room.log.begin(offset),
    heard: entries => room.hearOthers(entries),
    missed: upTo => room.miss(upTo),
    last: () => room.log.last,
    advance: offset => room.log.advance(offset),
  });
  const sessions = shared?.sessions ?? createSessions(clock);
  keepSessions(namespace, sessions, room);
  guard(namespace, room, gate, host.end);
  return createPart({ room, lock, bans, sessions, shared, host, namespace });
}

/** Lets nobody in whom the gate does not let pass. */
function guard(namespace: Namespace, room: Room, gate: Gate, end: (socket: Socket) => void): void {
  async function pass(socket: Socket, onward: (refusal?: Error) => void): Promise<void> {
    onward(await gate.admit(socket));
  }
  namespace.use((socket, next) => void pass(socket, next));
  namespace.on("connection", socket => {
    const grant = gate.grantOf(socket);
    if (grant === undefined) end(socket);
    else room.take(socket, grant);
  });
}

/** What a part of a container is made of here. */
interface Pieces {
  readonly room: Room;
  readonly lock: ReturnType<typeof createLock>;
  readonly bans: Bans;
  readonly sessions: Sessions;
  readonly shared: SharedWorkspace | undefined;
  readonly host: HostSurroundings;
  readonly namespace: Namespace;
}

function createPart({ room, lock, bans, sessions, shared, host, namespace }: Pieces): WorkspaceEvents {
  const { clock, sharing } = host;
  let lastError = "";

  function encode(event: WorkspaceEvent, at: number): LogEntry | undefined {
    try {
      return encodeEvent(namespace.name, event, room.log.next(at));
    } catch (error) {
      room.counts.unreadable += 1;
      lastError = `An event of ${event.topic.slice(0, 100)} was not sent: ${(error as Error).message}`;
      return undefined;
    }
  }

  return {
    bans,
    issueToken: request => lock.issue(request),
    emit: events => {
      if (room.isClosed) return;
      const entries: LogEntry[] = [];
      const [now, at] = [clock.monotonic(), clock.now()];
      for (const event of events) {
        const entry = encode(event, at);
        if (entry === undefined) continue;
        room.hear(entry, now);
        entries.push(entry);
      }
      room.counts.emitted += entries.length;
      shared?.publish(entries);
    },
    setLimits: limits => room.setLimits(limits),
    health: () => {
      const problem = sharing?.problem() ?? "";
      return { isConnected: !room.isClosed && problem === "", lastError: problem === "" ? lastError : problem };
    },
    counts: () => ({
      sockets: room.subscribers.size,
      subscriptions: [...room.subscribers.values()].reduce((sum, one) => sum + one.filters.size, 0),
      kept: room.log.size.events,
      banned: bans.list().length,
      unshared: shared?.unshared() ?? 0,
      ...numbersOf(room.counts),
    }),
    close: async () => {
      if (room.isClosed) return;
      const ended = room.close();
      sessions.close();
      await shared?.close();
      await host.remove(namespace, ended);
    },
  };
}

/**
 * Lets Socket.IO's recovery find its sockets here. It hands missed packets out before anybody
 * looked at the token, so none are given to it: the socket catches up once the gate let it pass.
 */
function keepSessions({ adapter }: Namespace, sessions: Sessions, { subscribers, log }: Room): void {
  adapter.persistSession = ({ pid, sid }) => {
    const subscriber = subscribers.get(sid);
    if (subscriber !== undefined) sessions.keep(pid, { sid, filters: [...subscriber.filters] });
  };
  adapter.restoreSession = async (pid, from) => {
    const session = await sessions.take(pid);
    const offset = readOffset(from);
    if (session === undefined || offset === undefined || !log.has(offset)) {
      // Socket.IO takes it for a socket that is new.
      throw new SkepError("not_found", "NO_SESSION", "Nothing is kept of the socket, or not enough.");
    }
    return { sid: session.sid, pid, rooms: [], data: { filters: session.filters, from }, missedPackets: [] };
  };
}
