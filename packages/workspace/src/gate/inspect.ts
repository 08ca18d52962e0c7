import { Buffer } from "node:buffer";
import { generate, type Packet } from "mqtt-packet";
import type { DeviceKey } from "@skep/core/workspace/device.ts";
import { mayPublish, maySubscribe } from "@skep/core/workspace/topic.ts";
import { headOf, qosOf, TYPE, typeOf } from "../mqtt/packet.ts";

/** MQTT 3.1, 3.1.1 or 5. */
export type MqttVersion = 3 | 4 | 5;

/** What becomes of a packet of a device. */
export type Verdict =
  | { readonly kind: "pass" }
  /** It does not reach the broker; the answer says so as far as its version can say it. */
  | { readonly kind: "denied"; readonly topic: string; readonly answer: Buffer | undefined }
  /** It belongs to one that was denied. */
  | { readonly kind: "answered"; readonly answer: Buffer }
  | { readonly kind: "end"; readonly because: string };

/** Judges what a device sends once it is connected. */
export type Inspector = (packet: Buffer) => Verdict;

const PASS: Verdict = { kind: "pass" };
/** Acknowledgements, UNSUBSCRIBE, PINGREQ and DISCONNECT mean the own session only. */
const HARMLESS: ReadonlySet<number> = new Set([
  ...[TYPE.puback, TYPE.pubrec, TYPE.pubcomp],
  ...[TYPE.unsubscribe, TYPE.pingreq, TYPE.disconnect],
]);
const NOT_AUTHORIZED = 0x87;
/** In MQTT 3.1.1 the only code of a failure. */
const FAILURE = 0x80;

/**
 * Makes one for a connection. A publish that is denied is acknowledged, or the device would send it
 * for ever: with an error in MQTT 5, while 3.1.1 knows none.
 */
export function createInspector(device: DeviceKey, version: MqttVersion): Inspector {
  // Of QoS 2: the device goes on with them in 3.1.1, and the broker never heard of them.
  const deniedIds = new Set<number>();

  function publish(packet: Buffer, at: number): Verdict {
    const qos = qosOf(packet);
    const topic = readText(packet, at);
    if (qos === 3 || topic === undefined) return malformed("PUBLISH");
    const behind = at + 2 + packet.readUInt16BE(at);
    if (topic === "") return { kind: "end", because: "it used a topic alias, and none was granted" };
    if (qos > 0 && packet.length < behind + 2) return malformed("PUBLISH");
    const messageId = qos === 0 ? 0 : packet.readUInt16BE(behind);
    if (qos > 0 && messageId === 0) return malformed("PUBLISH");
    if (mayPublish(topic, device)) {
      // The id is used anew, so what was denied under it is over.
      if (qos === 2) deniedIds.delete(messageId);
      return PASS;
    }
    if (qos === 0) return { kind: "denied", topic, answer: undefined };
    if (qos === 2 && version < 5) deniedIds.add(messageId);
    const cmd = qos === 1 ? "puback" : "pubrec";
    return { kind: "denied", topic, answer: answer({ cmd, messageId, reasonCode: NOT_AUTHORIZED } as Packet, version) };
  }

  function pubrel(packet: Buffer, at: number): Verdict {
    if (packet.length < at + 2) return malformed("PUBREL");
    const messageId = packet.readUInt16BE(at);
    if (!deniedIds.delete(messageId)) return PASS;
    return { kind: "answered", answer: answer({ cmd: "pubcomp", messageId } as Packet, version) };
  }

  function subscribe(packet: Buffer, at: number): Verdict {
    const filters = readFilters(packet, at + 2, version);
    if (filters === undefined || filters.length === 0) return malformed("SUBSCRIBE");
    const wrong = filters.find(filter => !maySubscribe(filter, device));
    if (wrong === undefined) return PASS;
    const granted = filters.map(() => (version === 5 ? NOT_AUTHORIZED : FAILURE));
    const messageId = packet.readUInt16BE(at);
    return { kind: "denied", topic: wrong, answer: answer({ cmd: "suback", messageId, granted } as Packet, version) };
  }

  return packet => {
    const type = typeOf(packet);
    const at = headOf(packet);
    if (type === TYPE.publish) return publish(packet, at);
    if (type === TYPE.subscribe) return subscribe(packet, at);
    if (type === TYPE.pubrel) return pubrel(packet, at);
    if (HARMLESS.has(type)) return PASS;
    return { kind: "end", because: `it sent a packet of type ${type}, which no connected device sends` };
  };
}

function malformed(what: string): Verdict {
  return { kind: "end", because: `it sent a malformed ${what}` };
}

function answer(packet: Packet, version: MqttVersion): Buffer {
  return generate(packet, { protocolVersion: version });
}

/** The text at a place; `undefined` where it is cut off, no UTF-8, or has a NUL. */
function readText(packet: Buffer, at: number): string | undefined {
  if (packet.length < at + 2) return undefined;
  const end = at + 2 + packet.readUInt16BE(at);
  if (packet.length < end) return undefined;
  try {
    const text = UTF8.decode(packet.subarray(at + 2, end));
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The filters of a SUBSCRIBE behind its id; `undefined` where it is malformed. */
function readFilters(packet: Buffer, from: number, version: MqttVersion): readonly string[] | undefined {
  let at = from;
  if (version === 5) {
    const properties = readLength(packet, at);
    if (properties === undefined) return undefined;
    at = properties.at + properties.length;
  }
  const filters: string[] = [];
  while (at < packet.length) {
    const filter = readText(packet, at);
    if (filter === undefined) return undefined;
    at += 2 + packet.readUInt16BE(at) + 1;
    if (at > packet.length) return undefined;
    filters.push(filter);
  }
  return at === packet.length ? filters : undefined;
}

/** A length of up to four bytes, and where it ends. */
function readLength(packet: Buffer, from: number): { readonly length: number; readonly at: number } | undefined {
  let length = 0;
  for (let step = 0; step < 4; step++) {
    const byte = packet[from + step];
    if (byte === undefined) return undefined;
    length += (byte & 127) * 128 ** step;
    if (byte < 128) return { length, at: from + step + 1 };
  }
  return undefined;
}
