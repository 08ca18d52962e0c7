/** A message as TCP carries it: its length before it. */
export function frame(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(bytes.length + 2);
  new DataView(framed.buffer).setUint16(0, bytes.length);
  framed.set(bytes, 2);
  return framed;
}

/**
 * Takes a stream apart: each call brings some bytes and answers the messages that are whole by
 * then. It never holds more than one message of `most` bytes and what came with its end.
 * @throws RangeError for a message that says it is longer.
 */
export function createFrameReader(most: number): (data: Uint8Array) => readonly Uint8Array[] {
  let rest: Uint8Array = new Uint8Array();
  return data => {
    rest = rest.length === 0 ? data : Uint8Array.from(Buffer.concat([rest, data]));
    const messages: Uint8Array[] = [];
    while (rest.length >= 2) {
      const length = new DataView(rest.buffer, rest.byteOffset).getUint16(0);
      if (length > most) throw new RangeError(`A message of ${length} bytes is longer than ${most}.`);
      if (rest.length < length + 2) break;
      messages.push(rest.slice(2, length + 2));
      rest = rest.slice(length + 2);
    }
    return messages;
  };
}
