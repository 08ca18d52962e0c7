import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "@skep/kit/clock.ts";
import type { Random } from "@skep/kit/random.ts";
import { retryDelay, type Backoff } from "@skep/kit/retry.ts";
import type { IPublishPacket } from "mqtt-packet";
import type { Delivery, Reader, ReaderState } from "./delivery.ts";
import { ChannelError } from "./failure.ts";
import { openSession, type Session } from "./session.ts";

/** Where a reader reads, and as whom. */
export interface ReaderSettings {
  /** `mqtt://host:port` or `mqtts://host:port`; whoever is named in it is not used. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Names the session: whoever connects by it later takes it over. */
  readonly clientId: string;
  readonly filters: readonly string[];
  /** Most messages that the broker sends without an acknowledgement. */
  readonly receiveMaximum: number;
  /** How long the broker keeps the session, and what is published meanwhile, without a reader. */
  readonly sessionExpirySeconds: number;
  readonly keepaliveSeconds: number;
  /** Certificates that are trusted instead of the machine's, PEM. */
  readonly ca?: string;
}

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
}

/** What a reader calls. */
export interface ReaderEvents {
  delivered(delivery: Delivery): void;
  changed(state: ReaderState): void;
}

const BACKOFF: Backoff = { baseMs: 100, maxMs: 5_000 };
const CONNECT_MS = 10_000;
/** How often a process that lost its workspace asks whether it has it again. */
const FENCED_MS = 50;

/**
 * Reads at QoS 1 with a persistent session, and connects again until it is closed or another
 * connection takes the session over.
 */
export function openReader(
  settings: ReaderSettings,
  events: ReaderEvents,
  { clock, random, mayRead }: ReaderPorts,
): Reader {
  const ending = new AbortController();
  let state: ReaderState = { kind: "connecting" };
  let connections = 0;
  let session: Session | undefined;
  let isPaused = false;

  function become(next: ReaderState): void {
    state = next;
    events.changed(next);
  }

  /** Resolves when the connection has ended, with what it ended by. */
  async function live(): Promise<ChannelError> {
    const connection = connections + 1;
    const socket = openSocket(settings);
    const opened = openSession(socket, settings, clock, {
      ready: () => {
        connections = connection;
        become({ kind: "connected" });
      },
      published: packet => events.delivered(deliveryOf(packet, connection)),
    });
    session = opened;
    if (isPaused) socket.pause();
    const cancel = clock.timer(CONNECT_MS, () => {
      if (connections < connection) opened.fail(new ChannelError("unreachable", `no answer within ${CONNECT_MS} ms`));
    });
    const error = await opened.ended;
    cancel();
    return error;
  }

  async function run(): Promise<void> {
    for (let failures = 1; !ending.signal.aborted; failures += 1) {
      while (!mayRead() && !ending.signal.aborted) await clock.sleep(FENCED_MS, ending.signal);
      if (ending.signal.aborted) break;
      const before = connections;
      const error = await live();
      session = undefined;
      if (ending.signal.aborted) break;
      if (connections > before) failures = 1;
      const because = error.message;
      if (error.kind === "taken-over") return become({ kind: "taken-over", because });
      become({ kind: "away", because });
      await clock.sleep(retryDelay(failures, random, BACKOFF), ending.signal);
    }
    become({ kind: "closed" });
  }

  const running = run();
  return {
    state: () => state,
    connections: () => connections,
    acknowledge: deliveries => {
      const current = deliveries.filter(one => one.packetId > 0 && one.connection === connections);
      if (current.length > 0) session?.acknowledge(current.map(one => one.packetId));
    },
    pause: wanted => {
      isPaused = wanted;
      session?.pause(wanted);
    },
    close: async () => {
      ending.abort();
      session?.leave();
      await running;
    },
  };
}

function openSocket({ url, ca }: ReaderSettings): Socket {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === "mqtts:";
  const where = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (isSecure ? 8883 : 1883)) };
  const socket = isSecure
    ? connectTls({ ...where, servername: where.host, ...(ca === undefined ? {} : { ca }) })
    : connectTcp(where);
  socket.setNoDelay(true);
  return socket;
}

function deliveryOf(packet: IPublishPacket, connection: number): Delivery {
  const { topic, payload, qos, dup, messageId, properties } = packet;
  const id = properties?.userProperties?.["id"];
  return {
    topic,
    payload: typeof payload === "string" ? Buffer.from(payload) : payload,
    connection,
    packetId: qos === 0 ? 0 : (messageId ?? 0),
    isRepeated: dup,
    senderId: typeof id === "string" ? id : undefined,
  };
}
