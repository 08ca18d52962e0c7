import { SkepError } from "@skep/core/error.ts";
import type { ResourceLimits, WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Namespace, Socket } from "socket.io";
import type { WorkspaceEvent } from "../message.ts";
import type { Events, PartHealth } from "../parts.ts";
import { createAllowance, resizeAllowances } from "./allowance.ts";
import { createBans, type Bans } from "./bans.ts";
import { countRefusal, createCounts, numbersOf } from "./counts.ts";
import { encodeEvent, framesOf, type Frame } from "./encode.ts";
import { createEventLog, readOffset, type LogEntry, type LogSize } from "./event-log.ts";
import { createFilterIndex } from "./filter-index.ts";
import { createGate } from "./gate.ts";
import { listen } from "./listen.ts";
import { overLimit, Refusal } from "./refusal.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import type { SharedWorkspace, Sharing } from "./sharing.ts";
import { createSubscriber, type Subscriber } from "./subscriber.ts";
import { createLock, type Grant, type TokenRequest } from "./token.ts";
import type { QueueSize } from "./wire.ts";

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
export interface HostSurroundings {
  readonly clock: Clock;
  readonly log: LogSize;
  readonly queue: QueueSize;
  readonly addressOf: (socket: Socket) => string;
  readonly sharing: Sharing | undefined;
  /** Ends a socket, and its connection where no other workspace uses it. */
  readonly end: (socket: Socket) => void;
  /** Takes the namespace away and waits until the connections of those sockets are gone. */
  readonly remove: (namespace: Namespace, sockets: readonly Socket[]) => Promise<void>;
}

const SWEEP_MS = 250;
const CATCH_UP_MS = 20;

/** Opens the events of a workspace in its namespace. */
export async function openWorkspaceEvents(
  host: HostSurroundings,
  namespace: Namespace,
  workspace: EventWorkspace,
): Promise<WorkspaceEvents> {
  const { clock } = host;
  const counts = createCounts();
  const bans = createBans(() => clock.monotonic());
  const lock = createLock(workspace.id, workspace.secret, () => clock.now());
  const log = createEventLog(host.log, clock.now());
  const index = createFilterIndex<Subscriber>();
  const subscribers = new Map<string, Subscriber>();
  const catchingUp = new Set<Subscriber>();
  const total = createAllowance(totalOf(workspace.limits), clock.monotonic());
  const around = { log, queue: host.queue, total, counts };
  let limits = workspace.limits;
  let shared: SharedWorkspace | undefined;
  let isClosed = false;
  let lastError = "";

  function hear(entry: LogEntry, now: number): void {
    log.push(entry);
    let frames: readonly Frame[] | undefined;
    index.visit(entry.topic, one => one.tell(entry, () => (frames ??= framesOf(entry)), now));
  }

  function end(subscriber: Subscriber, refusal: Refusal): void {
    countRefusal(counts, refusal.data.reason);
    subscriber.socket.emit("refused", refusal.data);
    host.end(subscriber.socket);
  }

  const gate = createGate({
    clock,
    bans,
    lock,
    counts,
    addressOf: host.addressOf,
    isClosed: () => isClosed,
    limits: () => limits,
    held: () => namespace.sockets.size,
    endBanned: () => {
      const refusal = new Refusal("BANNED", "Your address is kept out for a while.");
      for (const one of subscribers.values()) if (bans.bannedUntil(one.address) > 0) end(one, refusal);
    },
  });

  /** Takes a socket in that the gate let pass. */
  function take(socket: Socket, grant: Grant): void {
    const now = clock.monotonic();
    const who = { socket, grant, address: host.addressOf(socket) };
    const subscriber = createSubscriber(around, who, limits.events, now);
    // Several may have passed the gate at once.
    if (isClosed) return end(subscriber, new Refusal("WORKSPACE_CLOSED", "The workspace is closed."));
    if (namespace.sockets.size > limits.sockets) return end(subscriber, overLimit("sockets", limits.sockets));
    subscribers.set(socket.id, subscriber);
    listen(subscriber, {
      clock,
      log,
      counts,
      index,
      limits: () => limits,
      catchUp: one => {
        catchingUp.add(one);
        goOn();
      },
      flood: gate.flood,
      end,
    });
    socket.once("disconnect", () => {
      subscribers.delete(socket.id);
      catchingUp.delete(subscriber);
      for (const filter of subscriber.filters) index.remove(filter, subscriber);
    });
  }

  let isGoingOn = false;
  function goOn(): void {
    if (isGoingOn || catchingUp.size === 0 || isClosed) return;
    isGoingOn = true;
    clock.timer(CATCH_UP_MS, () => {
      isGoingOn = false;
      for (const one of catchingUp) if (!one.goOn(clock.monotonic())) catchingUp.delete(one);
      goOn();
    });
  }

  function sweep(): void {
    if (isClosed) return;
    for (const one of subscribers.values()) {
      const { expiresAt } = one.grant;
      if (expiresAt !== undefined && expiresAt <= clock.now()) {
        end(one, new Refusal("TOKEN_EXPIRED", "The token has expired: come back with a new one."));
      } else one.tellLosses();
    }
    clock.timer(SWEEP_MS, sweep);
  }

  if (host.sharing !== undefined) {
    shared = await host.sharing.open(workspace.id, {
      heard: entries => {
        for (const entry of entries) hear(entry, clock.monotonic());
      },
      missed: upTo => {
        log.advance(upTo);
        log.forget();
        for (const one of subscribers.values()) one.miss(upTo);
      },
      last: () => log.last,
      advance: offset => log.advance(offset),
    });
  }
  const sessions = shared?.sessions ?? createSessions(clock);
  keepSessions(namespace, sessions, {
    filtersOf: sid => subscribers.get(sid)?.filters,
    has: offset => {
      const read = readOffset(offset);
      return read !== undefined && log.has(read);
    },
  });
  namespace.use((socket, next) => void gate.admit(socket).then(() => next(), next));
  namespace.on("connection", socket => {
    const grant = gate.grantOf(socket);
    if (grant === undefined) return host.end(socket);
    take(socket, grant);
  });
  clock.timer(SWEEP_MS, sweep);

  return {
    bans,
    issueToken: request => lock.issue(request),
    emit: events => {
      if (isClosed) return;
      const entries: LogEntry[] = [];
      const [now, at] = [clock.monotonic(), clock.now()];
      for (const event of events) {
        const entry = encode(event, at);
        if (entry === undefined) continue;
        hear(entry, now);
        entries.push(entry);
      }
      counts.emitted += entries.length;
      shared?.publish(entries);
    },
    setLimits: next => {
      limits = next;
      total.resize(totalOf(next));
      for (const one of subscribers.values()) resizeAllowances(one.allowances, next.events);
      const over = [...subscribers.values()].slice(next.sockets);
      for (const one of over) end(one, overLimit("sockets", next.sockets));
    },
    health: (): PartHealth => {
      const problem = host.sharing?.problem() ?? "";
      return { isConnected: !isClosed && problem === "", lastError: problem === "" ? lastError : problem };
    },
    counts: () => ({
      sockets: subscribers.size,
      subscriptions: [...subscribers.values()].reduce((sum, one) => sum + one.filters.size, 0),
      kept: log.size.events,
      banned: bans.list().length,
      unshared: shared?.unshared() ?? 0,
      ...numbersOf(counts),
    }),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      const ending = [...subscribers.values()];
      for (const one of ending) end(one, new Refusal("WORKSPACE_CLOSED", "The workspace is closed."));
      sessions.close();
      await shared?.close();
      await host.remove(
        namespace,
        ending.map(one => one.socket),
      );
    },
  };

  function encode(event: WorkspaceEvent, at: number): LogEntry | undefined {
    try {
      return encodeEvent(namespace.name, event, log.next(at));
    } catch (error) {
      counts.unreadable += 1;
      lastError = `An event of ${event.topic.slice(0, 100)} was not sent: ${(error as Error).message}`;
      return undefined;
    }
  }
}

/** What all sockets together may do (C1). */
function totalOf({ sockets, events }: ResourceLimits): { readonly perSecond: number; readonly burst: number } {
  return { perSecond: sockets * events, burst: sockets * events };
}

/**
 * Lets Socket.IO's recovery find its sockets here. It hands missed packets out before anybody looked
 * at the token, so none are given to it: the socket catches up once the gate let it pass.
 */
function keepSessions(
  { adapter }: Namespace,
  sessions: Sessions,
  have: { filtersOf(sid: string): ReadonlySet<string> | undefined; has(offset: string): boolean },
): void {
  adapter.persistSession = ({ pid, sid }) => {
    const filters = have.filtersOf(sid);
    if (filters !== undefined) sessions.keep(pid, { sid, filters: [...filters] });
  };
  adapter.restoreSession = async (pid, offset) => {
    const session = await sessions.take(pid);
    if (session === undefined || !have.has(offset)) throw new SkepError("not_found", "NO_SESSION", "It is not kept.");
    const data = { filters: session.filters, from: offset };
    return { sid: session.sid, pid, rooms: [], data, missedPackets: [] };
  };
}
