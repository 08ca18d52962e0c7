import { randomInt } from "node:crypto";
import type { Socket } from "node:net";
import { confirmationTopic } from "@skep/core/workspace/confirmation.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { generate, parser, type ISubackPacket, type Packet } from "mqtt-packet";
import { writeDigests } from "../message-digest.ts";
import { createCutter } from "../mqtt/frames.ts";
import { isPublish, readPublish, type Published } from "../mqtt/publish-frame.ts";
import type { Delivery } from "./delivery.ts";
import { ChannelError, failureOf, failureOfSocket } from "./failure.ts";
import type { ReaderSettings } from "./settings.ts";

/** One connection to a broker, from its CONNECT to its end. */
export interface Session {
  /** Resolves once the connection has ended. */
  readonly ended: Promise<ChannelError>;
  /** Tells the gates that these are stored, then the broker that they are kept. */
  acknowledge(deliveries: readonly Acknowledged[]): void;
  pause(isPaused: boolean): void;
  /** Ends the connection; the broker keeps the session. */
  leave(): void;
  fail(error: ChannelError): void;
}

/** What of a delivery is told. */
export type Acknowledged = Pick<Delivery, "packetId" | "digest">;

/** What a session calls. */
export interface SessionEvents {
  /** It is subscribed. */
  ready(): void;
  published(message: Published): void;
}

const VERSION = { protocolVersion: 5 } as const;
const SUBSCRIBE_ID = 1;
/** MQTT 5, section 3.8.2.1.2. */
const MOST_IDENTIFIER = 268_435_455;
const PUBACK_BYTES = 4;
const PUBACK_HEAD = 0x4002;
/** Retained messages are not sent again with each subscription: they were read when they came. */
const NO_RETAINED = 2;

/** Speaks MQTT 5 on a socket that is about to connect. */
export function openSession(socket: Socket, settings: ReaderSettings, clock: Clock, events: SessionEvents): Session {
  const { promise: ended, resolve } = Promise.withResolvers<ChannelError>();
  let isOver = false;
  const send = (packet: Packet): void => {
    if (!isOver) socket.write(generate(packet, VERSION));
  };
  const pulse = createPulse(socket, clock, { send, fail });

  function fail(error: ChannelError): void {
    if (isOver) return;
    isOver = true;
    pulse.stop();
    socket.destroy();
    resolve(error);
  }

  const parse = parser(VERSION);
  const greeted = ({ isNew, names, keepaliveSeconds = settings.keepaliveSeconds }: Greeting): void => {
    pulse.begin(keepaliveSeconds);
    if (isOver) return;
    const subscribe = generate(subscribeTo(settings.filters, names), VERSION);
    // In one piece: one that is subscribed and did not say so would not say it the next time.
    socket.write(Buffer.concat([subscribe, ...(isNew ? tell("begun", settings.confirms) : [])]));
  };
  const cutter = createCutter(Infinity);
  const unread = (error: unknown): void => fail(new ChannelError("protocol", (error as Error).message));
  parse.on("packet", packet => take(packet, settings.filters, { ready: events.ready, fail, greeted }));
  parse.on("error", unread);
  socket.on("data", data => {
    pulse.heard();
    try {
      for (const packet of cutter.push(data)) {
        if (isOver) return;
        // Nearly all are of this kind, and the parser of all kinds takes five times as long.
        if (isPublish(packet)) events.published(readPublish(packet));
        else parse.parse(packet);
      }
    } catch (error) {
      unread(error);
    }
  });
  socket.once("encrypted" in socket ? "secureConnect" : "connect", () => send(connectBy(settings)));
  socket.on("error", (error: NodeJS.ErrnoException) => fail(failureOfSocket(error)));
  socket.once("close", () => fail(new ChannelError("unreachable", "the broker closed the connection")));
  return {
    ended,
    fail,
    acknowledge: deliveries => {
      if (isOver) return;
      // A broker that ends in between delivers them again, and they are told again.
      const stored = tell("stored", settings.confirms, writeDigests(deliveries.map(one => one.digest)));
      socket.write(Buffer.concat([...stored, pubacks(deliveries)]));
    },
    pause: isPaused => void (isPaused ? socket.pause() : socket.resume()),
    leave: () => fail(new ChannelError("unreachable", "it was closed here")),
  };
}

interface Means {
  send(packet: Packet): void;
  fail(error: ChannelError): void;
}

/** How the broker has taken it. */
interface Greeting {
  /** It had no session of it. */
  readonly isNew: boolean;
  /** It names the subscription of what it delivers. */
  readonly names: boolean;
  /** It wants to be asked so often whether somebody is there. */
  readonly keepaliveSeconds: number | undefined;
}

interface Hearing extends Pick<SessionEvents, "ready">, Pick<Means, "fail"> {
  greeted(greeting: Greeting): void;
}

function take(packet: Packet, filters: readonly string[], { fail, greeted, ready }: Hearing): void {
  switch (packet.cmd) {
    case "connack": {
      const code = packet.reasonCode ?? 0;
      if (code !== 0) return fail(failureOf(code, packet.properties?.reasonString));
      return greeted({
        isNew: !packet.sessionPresent,
        names: packet.properties?.subscriptionIdentifiersAvailable !== false,
        keepaliveSeconds: packet.properties?.serverKeepAlive,
      });
    }
    case "suback": {
      const refused = refusedIn(packet, filters);
      return refused === undefined ? ready() : fail(refused);
    }
    case "disconnect":
      return fail(failureOf(packet.reasonCode ?? 0, packet.properties?.reasonString));
    default:
  }
}

/** Silence of one and a half keepalives means that nobody is there (MQTT 5, section 3.1.2.10). */
function createPulse(socket: Socket, clock: Clock, { send, fail }: Means) {
  let heardAt = clock.monotonic();
  let stop = (): void => undefined;
  function begin(keepaliveSeconds: number): void {
    stop = clock.timer(keepaliveSeconds * 500, () => {
      const silentMs = clock.monotonic() - heardAt;
      // Who reads nothing hears nothing.
      if (silentMs > keepaliveSeconds * 1_500 && !socket.isPaused())
        return fail(new ChannelError("unreachable", `the broker has said nothing for ${Math.round(silentMs)} ms`));
      send({ cmd: "pingreq" });
      begin(keepaliveSeconds);
    });
  }
  return { begin, stop: (): void => stop(), heard: () => void (heardAt = clock.monotonic()) };
}

function connectBy({ clientId, username, password, keepaliveSeconds, ...settings }: ReaderSettings): Packet {
  return {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 5,
    clientId,
    clean: settings.beginsAnew === true,
    keepalive: keepaliveSeconds,
    ...(username === "" ? {} : { username, password: Buffer.from(password) }),
    properties: {
      sessionExpiryInterval: settings.sessionExpirySeconds,
      receiveMaximum: settings.receiveMaximum,
    },
  };
}

/**
 * Each time by another identifier, which a message keeps from when the broker takes it: packet ids
 * alone would mistake a message for one of a session before.
 */
function subscribeTo(filters: readonly string[], names: boolean): Packet {
  return {
    cmd: "subscribe",
    messageId: SUBSCRIBE_ID,
    ...(names ? { properties: { subscriptionIdentifier: randomInt(1, MOST_IDENTIFIER + 1) } } : {}),
    subscriptions: filters.map(topic => ({ topic, qos: 1 as const, nl: false, rap: true, rh: NO_RETAINED })),
  };
}

/** Which of the filters the broker does not let this user read as safely as they are to be. */
function refusedIn({ granted }: ISubackPacket, filters: readonly string[]): ChannelError | undefined {
  const answers = filters.map((filter, index) => ({ filter, answer: Number(granted[index] ?? 0x80) }));
  const refused = answers.filter(one => one.answer >= 0x80).map(one => one.filter);
  if (refused.length > 0) return new ChannelError("authentication", `the user may not read ${refused.join(", ")}`);
  const unsafe = answers.filter(one => one.answer === 0).map(one => one.filter);
  if (unsafe.length === 0) return undefined;
  return new ChannelError("protocol", `it delivers ${unsafe.join(", ")} at QoS 0 only, where messages are lost`);
}

/** Success in the short form of MQTT 5, section 3.4.2.1, one after the other in one piece. */
function pubacks(deliveries: readonly Acknowledged[]): Buffer {
  const bytes = Buffer.allocUnsafe(deliveries.length * PUBACK_BYTES);
  for (const [index, { packetId }] of deliveries.entries()) {
    bytes.writeUInt16BE(PUBACK_HEAD, index * PUBACK_BYTES);
    bytes.writeUInt16BE(packetId, index * PUBACK_BYTES + 2);
  }
  return bytes;
}

/** A PUBLISH to the gates: at QoS 0, since what a gate does not hear is only sent again. */
function tell(
  kind: "stored" | "begun",
  workspaceId: WorkspaceId | undefined,
  payloads: readonly Buffer[] = [Buffer.alloc(0)],
): readonly Buffer[] {
  if (workspaceId === undefined) return [];
  const topic = confirmationTopic(kind, workspaceId);
  const head = { cmd: "publish", topic, qos: 0, dup: false, retain: false } as const;
  return payloads.map(payload => generate({ ...head, payload }, VERSION));
}
