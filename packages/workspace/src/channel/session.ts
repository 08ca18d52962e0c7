import type { Socket } from "node:net";
import type { Clock } from "@skep/kit/clock.ts";
import { generate, parser, type IPublishPacket, type ISubackPacket, type Packet } from "mqtt-packet";
import { ChannelError, failureOf } from "./failure.ts";
import type { ReaderSettings } from "./settings.ts";

/** One connection to a broker, from its CONNECT to its end. */
export interface Session {
  /** Resolves once the connection has ended. */
  readonly ended: Promise<ChannelError>;
  acknowledge(packetIds: readonly number[]): void;
  pause(isPaused: boolean): void;
  /** Ends the connection; the broker keeps the session. */
  leave(): void;
  fail(error: ChannelError): void;
}

/** What a session calls. */
export interface SessionEvents {
  /** It is subscribed. */
  ready(): void;
  published(packet: IPublishPacket): void;
}

const VERSION = { protocolVersion: 5 } as const;
const SUBSCRIBE_ID = 1;
/** Retained messages are not sent again with each subscription: they were read when they came. */
const NO_RETAINED = 2;

/** Speaks MQTT 5 on a socket that is about to connect. */
export function openSession(socket: Socket, settings: ReaderSettings, clock: Clock, events: SessionEvents): Session {
  const { promise: ended, resolve } = Promise.withResolvers<ChannelError>();
  let isOver = false;
  const send = (packet: Packet): void => {
    if (!isOver) socket.write(generate(packet, VERSION));
  };
  const pulse = createPulse(socket, settings.keepaliveSeconds, clock, { send, fail });

  function fail(error: ChannelError): void {
    if (isOver) return;
    isOver = true;
    pulse.stop();
    socket.destroy();
    resolve(error);
  }

  const parse = parser(VERSION);
  parse.on("packet", packet => take(packet, settings.filters, { ...events, send, fail }));
  parse.on("error", (error: Error) => fail(new ChannelError("protocol", error.message)));
  socket.on("data", data => {
    pulse.heard();
    parse.parse(data);
  });
  socket.once("encrypted" in socket ? "secureConnect" : "connect", () => {
    send(connectBy(settings));
    pulse.begin();
  });
  socket.on("error", (error: NodeJS.ErrnoException) =>
    fail(new ChannelError("unreachable", error.code ?? error.message)),
  );
  socket.once("close", () => fail(new ChannelError("unreachable", "the broker closed the connection")));
  return {
    ended,
    fail,
    acknowledge: packetIds => {
      socket.cork();
      for (const messageId of packetIds) send({ cmd: "puback", messageId, reasonCode: 0 } as Packet);
      socket.uncork();
    },
    pause: isPaused => void (isPaused ? socket.pause() : socket.resume()),
    leave: () => fail(new ChannelError("unreachable", "it was closed here")),
  };
}

interface Means {
  send(packet: Packet): void;
  fail(error: ChannelError): void;
}

function take(
  packet: Packet,
  filters: readonly string[],
  { send, fail, ready, published }: Means & SessionEvents,
): void {
  switch (packet.cmd) {
    case "publish":
      return published(packet);
    case "connack": {
      const code = packet.reasonCode ?? 0;
      return code === 0 ? send(subscribeTo(filters)) : fail(failureOf(code, packet.properties?.reasonString));
    }
    case "suback": {
      const refused = refusedIn(packet, filters);
      return refused === undefined ? ready() : fail(new ChannelError("authentication", refused));
    }
    case "disconnect":
      return fail(failureOf(packet.reasonCode ?? 0, packet.properties?.reasonString));
    default:
  }
}

/** Silence of one and a half keepalives means that nobody is there (MQTT 5, section 3.1.2.10). */
function createPulse(socket: Socket, keepaliveSeconds: number, clock: Clock, { send, fail }: Means) {
  let heardAt = clock.monotonic();
  let stop = (): void => undefined;
  function begin(): void {
    stop = clock.timer(keepaliveSeconds * 500, () => {
      const silentMs = clock.monotonic() - heardAt;
      // Who reads nothing hears nothing.
      if (silentMs > keepaliveSeconds * 1_500 && !socket.isPaused())
        return fail(new ChannelError("unreachable", `the broker has said nothing for ${Math.round(silentMs)} ms`));
      send({ cmd: "pingreq" });
      begin();
    });
  }
  return { begin, stop: () => stop(), heard: () => void (heardAt = clock.monotonic()) };
}

function connectBy({ clientId, username, password, keepaliveSeconds, ...settings }: ReaderSettings): Packet {
  return {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 5,
    clientId,
    clean: false,
    keepalive: keepaliveSeconds,
    ...(username === "" ? {} : { username, password: Buffer.from(password) }),
    properties: {
      sessionExpiryInterval: settings.sessionExpirySeconds,
      receiveMaximum: settings.receiveMaximum,
    },
  };
}

function subscribeTo(filters: readonly string[]): Packet {
  return {
    cmd: "subscribe",
    messageId: SUBSCRIBE_ID,
    subscriptions: filters.map(topic => ({ topic, qos: 1 as const, nl: false, rap: true, rh: NO_RETAINED })),
  };
}

/** Which of the filters the broker does not let this user read. */
function refusedIn({ granted }: ISubackPacket, filters: readonly string[]): string | undefined {
  const refused = filters.filter((_, index) => Number(granted[index] ?? 0) >= 0x80);
  return refused.length === 0 ? undefined : `the user may not read ${refused.join(", ")}`;
}
