import { formatOffset, type Offset } from "@skep/core/workspace/offset.ts";
import { Encoder, PacketType } from "socket.io-parser";
import type { WorkspaceEvent } from "../message.ts";
import type { LogEntry } from "./event-log.ts";

/** The name under which sockets hear events of their workspace. */
export const EVENT = "event";

/** Binary parts that a client of Socket.IO takes in one packet; above it hangs up. */
const MOST_PARTS = 10;

const encoder = new Encoder();

/**
 * Encodes an event for every socket of a namespace. The offset is the last argument, where
 * Socket.IO's client looks for what it tells when it comes back.
 * @throws where the data cannot be sent, such as a BigInt or a circle.
 */
export function encodeEvent(namespace: string, { topic, data, at }: WorkspaceEvent, offset: Offset): LogEntry {
  const args = [EVENT, { topic, data, at }, formatOffset(offset)];
  const encoded: unknown[] = encoder.encode({ type: PacketType.EVENT, nsp: namespace, data: args });
  const packet = String(encoded[0]);
  const buffers = encoded.slice(1).map(toBuffer);
  refuseTraps(packet, buffers.length);
  const bytes = buffers.reduce((sum, part) => sum + part.length, packet.length + topic.length);
  return { offset, topic, packet, parts: buffers, bytes };
}

/** A piece of a packet with the WebSocket frame around it, made once for all who get it. */
export interface Frame {
  readonly data: string | Buffer;
  readonly wire: Buffer;
}

const TEXT = 0x1;
const BINARY = 0x2;

/** The frames of an entry. */
export function framesOf({ packet, parts }: LogEntry): readonly Frame[] {
  // "4" is a message of Engine.IO.
  const head = { data: packet, wire: frame(TEXT, Buffer.from(`4${packet}`)) };
  return parts.length === 0 ? [head] : [head, ...parts.map(data => ({ data, wire: frame(BINARY, data) }))];
}

/** One whole frame from the server, which masks nothing. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const wire = Buffer.allocUnsafe(head + length);
  wire[0] = 0x80 | opcode;
  if (head === 2) wire[1] = length;
  else if (head === 4) {
    wire[1] = 126;
    wire.writeUInt16BE(length, 2);
  } else {
    wire[1] = 127;
    wire.writeUIntBE(0, 2, 2);
    wire.writeUIntBE(length, 4, 6);
  }
  payload.copy(wire, head);
  return wire;
}

function toBuffer(part: unknown): Buffer {
  if (ArrayBuffer.isView(part)) return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  if (part instanceof ArrayBuffer) return Buffer.from(part);
  throw new TypeError("A binary part of an event is of a kind that no socket takes: use a Uint8Array.");
}

/** What a client could not read would end its connection, and a device's bytes must not do that. */
function refuseTraps(packet: string, parts: number): void {
  if (parts > MOST_PARTS) throw new TypeError(`An event with ${parts} binary parts: sockets take ${MOST_PARTS}.`);
  if (parts > 0 && packet.split('"_placeholder"').length - 1 > parts) {
    throw new TypeError('An event with binary parts may have no field "_placeholder", which stands for one.');
  }
}
