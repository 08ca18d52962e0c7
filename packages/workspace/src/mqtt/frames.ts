import { Buffer } from "node:buffer";

/** A sender broke the rules of the stream: nothing after it can be read. */
export class StreamError extends Error {
  override readonly name = "StreamError";
}

/** Cuts a stream into whole MQTT packets. */
export interface Cutter {
  /** The packets that are whole now. @throws StreamError for one that is too large or malformed. */
  push(chunk: Buffer): Buffer[];
  /** What came and is not a whole packet yet. */
  rest(): Buffer;
}

/** Makes one; a larger packet than `most` bytes is refused before it is kept. */
export function createCutter(most: number): Cutter {
  // Pieces are put together once, when the packet is whole: a sender of single bytes costs no more.
  let pieces: Buffer[] = [];
  let held = 0;
  let wanted = 0;

  function takeHeld(): Buffer {
    const all = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    pieces = [];
    held = 0;
    wanted = 0;
    return all;
  }

  return {
    push: chunk => {
      pieces.push(chunk);
      held += chunk.length;
      if (held < wanted) return [];
      const packets: Buffer[] = [];
      const data = takeHeld();
      let at = 0;
      for (;;) {
        const total = totalOf(data, at);
        if (total > most) throw new StreamError(`it sent a packet of ${total} bytes, and ${most} are allowed`);
        if (total === 0 || data.length - at < total) {
          wanted = total;
          break;
        }
        packets.push(data.subarray(at, at + total));
        at += total;
      }
      if (at < data.length) {
        pieces = [data.subarray(at)];
        held = data.length - at;
      }
      return packets;
    },
    rest: () => Buffer.concat(pieces),
  };
}

/** How many bytes the packet that begins at `from` has; 0 while its head is not whole. */
function totalOf(data: Buffer, from: number): number {
  let length = 0;
  for (let at = 1; from + at < data.length; at++) {
    if (at > 4) throw new StreamError("it sent a length of more than four bytes");
    const byte = data[from + at]!;
    length += (byte & 127) << (7 * (at - 1));
    if (byte < 128) return length + at + 1;
  }
  return 0;
}
