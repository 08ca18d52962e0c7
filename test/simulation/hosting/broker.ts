import type { Session, SessionEvents } from "@skep/workspace/channel/session.ts";
import { ChannelError } from "@skep/workspace/channel/failure.ts";
import type { Life } from "../life.ts";
import type { Platform } from "../platform.ts";

/** A message of a device, which is known by its number within its workspace. */
export interface SimMessage {
  readonly workspaceId: string;
  readonly number: number;
  /** When the broker took it. */
  readonly at: number;
  /** Its device says the number as its `id`, and may send it again. */
  readonly hasId?: true;
}

/** A host's way to a broker. */
export interface BrokerWay {
  isCutFromBroker: boolean;
  /** How long after that the host notices, by its keepalives or since it is reached again. */
  noticesMs: number;
}

/** A message, and the subscription that it is kept for. */
interface Queued {
  readonly message: SimMessage;
  readonly subscriptionId: number;
}

/** What a broker knows of one client id, whoever connects by it. */
interface Kept {
  readonly queue: Queued[];
  /** Sent, and not acknowledged yet, by packet id. */
  readonly underWay: Map<number, Queued>;
  packetId: number;
  /** Another one with each connection. */
  subscriptionId: number;
  connection: Connection | undefined;
}

interface Connection {
  readonly life: Life;
  readonly way: BrokerWay;
  readonly events: SessionEvents;
  isSubscribed: boolean;
  /** Ends it at the client, some time later. */
  break(because: string): void;
}

/** Longest that a packet is under way. */
const WAY_MS = 3;
const MOST_PACKET_ID = 65_535;

/**
 * A broker in memory, as Mosquitto is: a session for each workspace that outlives its connections,
 * what was not acknowledged delivered again and marked, and one connection for a client id, of
 * which a newer one ends the older without a word.
 */
export class SimBroker {
  readonly #platform: Platform;
  readonly #sessions = new Map<string, Kept>();
  readonly #name: string;
  #subscriptions = 0;
  #isAway = false;

  constructor(platform: Platform, name: string) {
    this.#platform = platform;
    this.#name = name;
  }

  /**
   * A device publishes at QoS 1, and is told that it is taken unless the broker is away. It is kept
   * where there is a session for it, and dropped where there is none.
   */
  publish(message: SimMessage): "away" | "dropped" | "kept" {
    const kept = this.#sessions.get(message.workspaceId);
    if (this.#isAway) return "away";
    if (kept === undefined) return "dropped";
    kept.queue.push({ message, subscriptionId: kept.subscriptionId });
    this.#deliver(kept);
    return "kept";
  }

  /** Its pod is gone with its volumes. */
  remove(workspaceId: string): void {
    this.#sessions.delete(workspaceId);
  }

  /** What of a workspace waits here for its acknowledgement, the oldest first. */
  waiting(workspaceId: string): readonly SimMessage[] {
    const kept = this.#sessions.get(workspaceId);
    return kept === undefined ? [] : [...kept.underWay.values(), ...kept.queue].map(one => one.message);
  }

  /** The process stops for a while, or is there again: sessions are kept on its disk. */
  setAway(isAway: boolean): void {
    this.#isAway = isAway;
    for (const kept of this.#sessions.values()) this.#drop(kept, "the broker closed the connection");
  }

  /** A host is cut off from here: its connections break once it notices. */
  breakAll(life: Life): void {
    for (const kept of this.#sessions.values()) if (kept.connection?.life === life) this.#drop(kept, "ECONNRESET");
  }

  /** A reader of a workspace connects; `acknowledged` hears what it says is kept. */
  connect(
    workspaceId: string,
    { life, way, events }: Pick<Connection, "life" | "way" | "events">,
    acknowledged: (messages: readonly SimMessage[]) => void,
  ): Session {
    const { promise: ended, resolve } = Promise.withResolvers<ChannelError>();
    let isOver = false;
    const fail = (error: ChannelError): void => {
      if (isOver) return;
      isOver = true;
      const kept = this.#sessions.get(workspaceId);
      if (kept?.connection === connection) kept.connection = undefined;
      resolve(error);
    };
    const toClient = (run: () => void): void => void (isOver || life.run("message", () => void (isOver || run())));
    /** What the socket keeps while nobody reads from it. */
    let unread: (() => void)[] | undefined;
    const read = (run: () => void): void => void (unread === undefined ? run() : unread.push(run));
    const connection: Connection = {
      ...{ life, way, isSubscribed: false },
      events: {
        ready: () => toClient(events.ready),
        published: packet => toClient(() => read(() => events.published(packet))),
      },
      break: because => {
        const ms = way.isCutFromBroker ? way.noticesMs : WAY_MS;
        this.#platform.clock.timer(ms, () => toClient(() => fail(new ChannelError("unreachable", because))));
      },
    };
    this.#later(() => {
      if (isOver || !life.alive()) return;
      if (this.#isAway || way.isCutFromBroker)
        return toClient(() => fail(new ChannelError("unreachable", "ETIMEDOUT")));
      this.#take(workspaceId, connection);
    });
    return {
      ended,
      fail,
      acknowledge: deliveries => {
        const packetIds = deliveries.map(one => one.packetId);
        const kept = this.#sessions.get(workspaceId);
        const all = packetIds.flatMap(id => kept?.underWay.get(id)?.message ?? []);
        if (!isOver) acknowledged(all);
        this.#later(() => this.#acknowledged(kept, connection, packetIds));
      },
      pause: isPaused => {
        const kept = unread ?? [];
        unread = isPaused ? kept : undefined;
        if (!isPaused) for (const run of kept) run();
      },
      leave: () => fail(new ChannelError("unreachable", "it was closed here")),
    };
  }

  #take(workspaceId: string, connection: Connection): void {
    const kept = this.#sessions.get(workspaceId) ?? newSession();
    this.#sessions.set(workspaceId, kept);
    this.#drop(kept, "the broker closed the connection");
    kept.connection = connection;
    this.#platform.say(`${this.#name} gives ${workspaceId} to ${connection.life.name}`);
    this.#later(() => {
      if (kept.connection !== connection) return;
      connection.isSubscribed = true;
      kept.subscriptionId = ++this.#subscriptions;
      connection.events.ready();
      this.#send(connection, [...kept.underWay], true);
      this.#deliver(kept);
    });
  }

  #drop(kept: Kept, because: string): void {
    const { connection } = kept;
    kept.connection = undefined;
    connection?.break(because);
  }

  #acknowledged(kept: Kept | undefined, connection: Connection, packetIds: readonly number[]): void {
    if (kept?.connection !== connection || connection.way.isCutFromBroker || this.#isAway) return;
    for (const id of packetIds) kept.underWay.delete(id);
  }

  #deliver(kept: Kept): void {
    if (kept.connection?.isSubscribed !== true || kept.queue.length === 0) return;
    const fresh = kept.queue.splice(0).map((one): [number, Queued] => {
      kept.packetId = (kept.packetId % MOST_PACKET_ID) + 1;
      return [kept.packetId, one];
    });
    for (const [id, message] of fresh) kept.underWay.set(id, message);
    this.#send(kept.connection, fresh, false);
  }

  #send(connection: Connection, all: readonly (readonly [number, Queued])[], isRepeated: boolean): void {
    if (all.length === 0) return;
    this.#later(() => {
      if (connection.way.isCutFromBroker) return;
      for (const [packetId, { message, subscriptionId }] of all) {
        const { workspaceId, number, hasId } = message;
        const topic = `${workspaceId}/devices/d1/telemetry/count`;
        const payload = Buffer.from(JSON.stringify({ number }));
        connection.events.published({
          topic,
          payload,
          packetId,
          isRepeated,
          senderId: hasId ? String(number) : undefined,
          subscriptionId,
        });
      }
    });
  }

  /** In order: a connection keeps it. */
  #later(run: () => void): void {
    this.#platform.clock.timer(WAY_MS, run);
  }
}

function newSession(): Kept {
  return { queue: [], underWay: new Map(), packetId: 0, subscriptionId: 0, connection: undefined };
}
