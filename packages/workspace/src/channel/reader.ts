import type { Clock } from "@skep/kit/clock.ts";
import type { Random } from "@skep/kit/random.ts";
import { retryDelay, type Backoff } from "@skep/kit/retry.ts";
import type { Delivery, Reader, ReaderState } from "./delivery.ts";
import { messageDigest } from "../message-digest.ts";
import { owned } from "../ownership.ts";
import { ChannelError } from "./failure.ts";
import { openSession, type Session, type SessionEvents } from "./session.ts";
import type { ReaderSettings } from "./settings.ts";
import { brokerOf, openSocket } from "./socket.ts";

/** What a reader works with. */
export interface ReaderPorts {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Whether this process owns what it reads: it connects only then, since brokers as Mosquitto
   * 2.0.11 end the older connection of a session without saying why, and two owners would take it
   * from each other for ever.
   */
  readonly mayRead: () => boolean;
  /** Opens a connection; one over a socket where it is absent. */
  readonly connect?: Connect;
}

/** Opens a connection to the broker of these settings. */
export type Connect = (settings: ReaderSettings, clock: Clock, events: SessionEvents) => Session;

/** What a reader calls. */
export interface ReaderEvents {
  delivered(delivery: Delivery): void;
  changed(state: ReaderState): void;
}

const BACKOFF: Backoff = { baseMs: 100, maxMs: 5_000 };
const CONNECT_MS = 10_000;

/**
 * Reads at QoS 1 with a persistent session, and connects again until it is closed or another
 * connection takes the session over. Throws where no broker can have the address.
 */
export function openReader(settings: ReaderSettings, events: ReaderEvents, ports: ReaderPorts): Reader {
  const { clock, random, mayRead, connect = overSocket(settings) } = ports;
  const ending = new AbortController();
  let state: ReaderState = { kind: "connecting" };
  const line = createLine(connect, settings, clock, {
    delivered: one => events.delivered(one),
    ready: () => become({ kind: "connected" }),
  });

  function become(next: ReaderState): void {
    state = next;
    events.changed(next);
  }

  async function run(): Promise<void> {
    for (let failures = 1; await owned(mayRead, clock, ending.signal); failures += 1) {
      const before = line.connections();
      const { kind, message: because } = await line.live();
      if (ending.signal.aborted) break;
      if (line.connections() > before) failures = 1;
      if (kind === "taken-over") return become({ kind, because });
      become({ kind: "away", because });
      await clock.sleep(retryDelay(failures, random, BACKOFF), ending.signal);
    }
    become({ kind: "closed" });
  }

  const running = run();
  return {
    state: () => state,
    connections: line.connections,
    isCurrent: line.isCurrent,
    acknowledge: line.acknowledge,
    pause: line.pause,
    close: async () => {
      ending.abort();
      line.leave();
      await running;
    },
  };
}

/** One connection after the other. */
interface Line extends Pick<Reader, "acknowledge" | "connections" | "isCurrent" | "pause"> {
  /** Resolves when the connection has ended, with what it ended by. */
  live(): Promise<ChannelError>;
  leave(): void;
}

function overSocket(of: ReaderSettings): Connect {
  const broker = brokerOf(of);
  return (settings, clock, events) => openSession(openSocket(broker), settings, clock, events);
}

function createLine(
  connect: Connect,
  settings: ReaderSettings,
  clock: Clock,
  { delivered, ready }: Pick<ReaderEvents, "delivered"> & { ready(): void },
): Line {
  /** Of the connection that is tried or in use: a broker may deliver before it is subscribed. */
  let number = 0;
  let connections = 0;
  let session: Session | undefined;
  let isReady = false;
  let isPaused = false;

  async function live(): Promise<ChannelError> {
    const connection = ++number;
    const opened = connect(settings, clock, {
      ready: () => {
        isReady = true;
        connections += 1;
        // Not before: what is paused would not hear the answer to its CONNECT.
        opened.pause(isPaused);
        ready();
      },
      published: ({ topic, payload, packetId, isRepeated, senderId, subscriptionId }) =>
        delivered({
          ...{ topic, payload, connection, packetId, isRepeated, senderId, subscriptionId },
          digest: messageDigest(topic, payload, senderId),
        }),
    });
    session = opened;
    const cancel = clock.timer(CONNECT_MS, () => {
      if (!isReady) opened.fail(new ChannelError("unreachable", `no answer within ${CONNECT_MS} ms`));
    });
    const error = await opened.ended;
    cancel();
    session = undefined;
    isReady = false;
    return error;
  }

  return {
    live,
    connections: () => connections,
    isCurrent: ({ connection }) => session !== undefined && connection === number,
    acknowledge: deliveries => {
      const current = deliveries.filter(one => one.packetId > 0 && one.connection === number);
      if (current.length > 0) session?.acknowledge(current);
    },
    pause: wanted => {
      isPaused = wanted;
      if (isReady) session?.pause(wanted);
    },
    leave: () => session?.leave(),
  };
}
