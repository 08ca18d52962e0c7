import { Buffer } from "node:buffer";
import { generate, parser, type IConnackPacket, type IConnectPacket, type Packet } from "mqtt-packet";
import { deviceUser, readDeviceUser, type DeviceKey } from "@skep/core/workspace/device.ts";
import { mayPublish } from "@skep/core/workspace/topic.ts";
import { headOf, TYPE, typeOf } from "../mqtt/packet.ts";
import { MOST_HELD } from "./holding.ts";
import type { MqttVersion } from "./inspect.ts";

/** A CONNECT that names a device, which has not been looked up yet. */
export interface Application {
  readonly device: DeviceKey;
  readonly secret: string;
  readonly version: MqttVersion;
  readonly packet: IConnectPacket;
}

/** Why nobody is let in: what MQTT 5 and the versions before say for it. */
export const REFUSED = {
  protocol: { v5: 0x84, v3: 1 },
  credentials: { v5: 0x86, v3: 4 },
  topic: { v5: 0x87, v3: 5 },
  method: { v5: 0x8c, v3: 5 },
  banned: { v5: 0x8a, v3: 5 },
} as const;

/** Why a device is not let in. */
export type RefusedBecause = keyof typeof REFUSED;

/** A CONNECT that may not even be looked up. */
export interface Unreadable {
  readonly because: RefusedBecause;
  readonly version: MqttVersion;
}

/** Reads the first packet of a connection; `undefined` for what is no CONNECT at all. */
export function readConnect(bytes: Buffer): Application | Unreadable | undefined {
  const packet = parseOne(bytes, undefined);
  if (packet?.cmd !== "connect") return undefined;
  const version = packet.protocolVersion ?? 4;
  if (version !== 3 && version !== 4 && version !== 5) return undefined;
  if ("bridgeMode" in packet && packet.bridgeMode === true) return { because: "protocol", version };
  if (packet.properties?.authenticationMethod !== undefined) return { because: "method", version };
  const device = readDeviceUser(packet.username ?? "");
  const secret = packet.password?.toString() ?? "";
  if (device === undefined || secret === "") return { because: "credentials", version };
  return { device, secret, version, packet };
}

/** The topic of its will where it may not publish there. */
export function deniedWill({ device, packet }: Application): string | undefined {
  const { topic } = packet.will ?? {};
  return topic === undefined || mayPublish(topic, device) ? undefined : topic;
}

/** Who the gate is at the broker. */
export interface BrokerLogin {
  readonly username: string;
  readonly password: string;
}

/**
 * The CONNECT that the broker gets. The client id is the device's user name, whatever the device
 * calls itself: nobody else can take its session over, and it has one, however many names it uses.
 */
export function connectAtBroker({ device, packet, version }: Application, login: BrokerLogin): Buffer {
  const { clean, keepalive, protocolId, will, properties } = packet;
  // The device's own names for the connection say nothing to the broker.
  const { userProperties: _, ...kept } = properties ?? {};
  return generate(
    {
      ...{ cmd: "connect", protocolId, protocolVersion: version, clean, keepalive, clientId: deviceUser(device) },
      ...{ username: login.username, password: Buffer.from(login.password) },
      ...(will === undefined ? {} : { will }),
      ...(version === 5 && properties !== undefined ? { properties: kept } : {}),
    } as IConnectPacket,
    { protocolVersion: version },
  );
}

/**
 * The broker's answer as the device gets it: no topic aliases, the id that it was given, and how
 * many messages may wait for their acknowledgement.
 */
export function connackForDevice(bytes: Buffer, { packet, version, device }: Application): Buffer {
  if (version < 5) return bytes;
  const answer = parseOne(bytes, version);
  if (answer?.cmd !== "connack") return bytes;
  const { topicAliasMaximum: _, ...properties } = answer.properties ?? {};
  const named = packet.clientId === "" ? { assignedClientIdentifier: deviceUser(device) } : {};
  const receiveMaximum = Math.min(properties.receiveMaximum ?? MOST_HELD, MOST_HELD);
  return generate({ ...answer, properties: { ...properties, ...named, receiveMaximum } } as IConnackPacket, {
    protocolVersion: version,
  });
}

/** Whether the broker let the gate in for it. */
export function isAccepted(connack: Buffer): boolean {
  return typeOf(connack) === TYPE.connack && connack[headOf(connack) + 1] === 0;
}

/** The CONNACK of one that is not let in. */
export function refusal(because: RefusedBecause, version: MqttVersion): Buffer {
  const { v5, v3 } = REFUSED[because];
  const code = version === 5 ? { reasonCode: v5 } : { returnCode: v3 };
  return generate({ cmd: "connack", sessionPresent: false, ...code } as IConnackPacket, { protocolVersion: version });
}

/** The DISCONNECT of one whose right has ended; before MQTT 5 there was none. */
export function farewell(version: MqttVersion): Buffer | undefined {
  if (version < 5) return undefined;
  return generate({ cmd: "disconnect", reasonCode: 0x98 } as Packet, { protocolVersion: version });
}

/** The one packet of which these are the bytes; `undefined` where they are none. */
function parseOne(bytes: Buffer, version: MqttVersion | undefined): Packet | undefined {
  let found: Packet | undefined;
  let isBroken = false;
  const parse = parser(version === undefined ? undefined : { protocolVersion: version });
  parse.on("packet", packet => (found = packet));
  parse.on("error", () => (isBroken = true));
  try {
    parse.parse(bytes);
  } catch {
    return undefined;
  }
  return isBroken ? undefined : found;
}
