import { Buffer } from "node:buffer";

/** Types of packets that are read without a parser, MQTT 5, section 2.1.2. */
export const TYPE = {
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  unsubscribe: 10,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

/** The type of a packet. */
export function typeOf(packet: Buffer): number {
  return packet[0]! >> 4;
}

/** The QoS of a PUBLISH; 3 is none. */
export function qosOf(packet: Buffer): number {
  return (packet[0]! >> 1) & 3;
}

/** Where a packet goes on behind type and length; the packet is whole. */
export function headOf(packet: Buffer): number {
  let at = 1;
  while (packet[at]! >= 128) at += 1;
  return at + 1;
}

/** The packet id of a PUBLISH; 0 at QoS 0, for any other packet, and for what is cut off. */
export function publishIdOf(packet: Buffer): number {
  if (typeOf(packet) !== TYPE.publish || qosOf(packet) === 0) return 0;
  const at = headOf(packet);
  if (packet.length < at + 2) return 0;
  const behind = at + 2 + packet.readUInt16BE(at);
  return packet.length < behind + 2 ? 0 : packet.readUInt16BE(behind);
}

/** Packets in one piece, for one write. */
export function together(packets: readonly Buffer[]): Buffer {
  return packets.length === 1 ? packets[0]! : Buffer.concat(packets);
}
