import type { Socket } from "node:net";
import type { Clock } from "@skep/kit/clock.ts";
import { generate, parser, type IPublishPacket, type ISubackPacket, type Packet } from "mqtt-packet";
import { ChannelError, failureOf } from "./failure.ts";
import type { ReaderSettings } from "./reader.ts";

/** One connection to a broker, from its CONNECT to its end. */
export interface Session {
  /** Resolves once the connection has ended. */
  readonly ended: Promise<ChannelError>;
  acknowledge(packetIds: readonly number[]): void;
  pause(isPaused: boolean): void;
  /** Says good-bye; the broker keeps the session. */
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
export function openSession(
  socket: Socket,
  settings: ReaderSettings,
  clock: Clock,
  { ready, published }: SessionEvents,
): Session {
  const { promise: ended, resolve } = Promise.withResolvers<ChannelError>();
  const parse = parser(VERSION);
  let heardAt = clock.monotonic();
  let isOver = false;
  let stopPinging = (): void => undefined;

  function fail(error: ChannelError): void {
    if (isOver) return;
    isOver = true;
    stopPinging();
    socket.destroy();
    resolve(error);
  }

  function send(packet: Packet): void {
    if (!isOver) socket.write(generate(packet, VERSION));
  }

  /** Silence of one and a half keepalives means that nobody is there (MQTT 5, section 3.1.2.10). */
  function ping(): void {
    stopPinging = clock.timer(settings.keepaliveSeconds * 500, () => {
      const silentMs = clock.monotonic() - heardAt;
      if (silentMs > settings.keepaliveSeconds * 1_500 && !socket.isPaused())
        return fail(new ChannelError("unreachable", `the broker has said nothing for ${Math.round(silentMs)} ms`));
      send({ cmd: "pingreq" });
      ping();
    });
  }

  function take(packet: Packet): void {
    switch (packet.cmd) {
      case "publish":
        return published(packet);
      case "connack": {
        const code = packet.reasonCode ?? 0;
        if (code !== 0) return fail(failureOf(code, packet.properties?.reasonString));
        return send(subscribeTo(settings.filters));
      }
      case "suback": {
        const refused = refusedIn(packet, settings.filters);
        if (refused !== undefined) return fail(new ChannelError("authentication", refused));
        return ready();
      }
      case "disconnect":
        return fail(failureOf(packet.reasonCode ?? 0, packet.properties?.reasonString));
      default:
    }
  }

  parse.on("packet", take);
  parse.on("error", (error: Error) => fail(new ChannelError("protocol", error.message)));
  socket.on("data", data => {
    heardAt = clock.monotonic();
    parse.parse(data);
  });
  const begin = (): void => {
    socket.write(generate(connectBy(settings), VERSION));
    ping();
  };
  socket.once("encrypted" in socket ? "secureConnect" : "connect", begin);
  socket.on("error", (error: NodeJS.ErrnoException) =>
    fail(new ChannelError("unreachable", error.code ?? error.message)),
  );
  socket.once("close", () => fail(new ChannelError("unreachable", "the broker closed the connection")));
  return {
    ended,
    fail,
    acknowledge: packetIds => {
      if (isOver) return;
      socket.cork();
      for (const messageId of packetIds) send({ cmd: "puback", messageId, reasonCode: 0 } as Packet);
      socket.uncork();
    },
    pause: isPaused => void (isPaused ? socket.pause() : socket.resume()),
    leave: () => {
      if (!isOver && !socket.connecting) socket.write(generate({ cmd: "disconnect", reasonCode: 0 }, VERSION));
      fail(new ChannelError("unreachable", "it was closed here"));
    },
  };
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
