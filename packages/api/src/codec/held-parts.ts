import { SkepError } from "@skep/core/error.ts";

/** A part of a held state in its binary form, for one that is too large for a message. */
export interface HeldPart {
  /** Hash of the whole: the state may have become another one between two parts. */
  readonly snapshot: string;
  readonly totalBytes: number;
  /** How many bytes come before. */
  readonly offset: number;
  readonly data: Uint8Array;
}

/** Room for what stands around the data. */
const AROUND_BYTES = 1_024;
/** Beyond what specs, epochs and containers of one node can take together: nobody collects more. */
const MOST_BYTES = 64 * 1024 * 1024;

/** The part that begins at `offset` and fits into a message of `maxBytes`. */
export function heldPart(whole: Uint8Array, snapshot: string, offset: number, maxBytes: number): HeldPart {
  const data = whole.subarray(offset, offset + Math.max(1, maxBytes - AROUND_BYTES));
  return { snapshot, totalBytes: whole.byteLength, offset, data };
}

/** Asks for the parts after the first, one after the other, and answers the whole. */
export async function collectHeld(
  first: HeldPart,
  ask: (snapshot: string, offset: number) => Promise<HeldPart>,
): Promise<Uint8Array> {
  const { snapshot, totalBytes } = first;
  if (totalBytes > MOST_BYTES) throw malformed(`it says that it holds ${totalBytes} bytes`);
  const whole = new Uint8Array(totalBytes);
  let offset = 0;
  for (let part = first; ; part = await ask(snapshot, offset)) {
    const { byteLength } = part.data;
    const fits = part.snapshot === snapshot && part.offset === offset && offset + byteLength <= totalBytes;
    if (!fits || byteLength === 0) throw malformed(`the part at ${offset} of ${totalBytes} bytes is another one`);
    whole.set(part.data, offset);
    offset += byteLength;
    if (offset === totalBytes) return whole;
  }
}

function malformed(what: string): SkepError {
  return new SkepError("invalid_argument", "MALFORMED_MESSAGE", `What the agent holds cannot be read: ${what}.`);
}
