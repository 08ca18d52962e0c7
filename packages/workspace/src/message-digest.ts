import { hash } from "node:crypto";

/**
 * What a message is known by, to the gate that took it of its device and to the host that got it of
 * the broker: twelve bytes, in letters. With the sender's id it is one message; without, two that
 * are alike have the same.
 */
export function messageDigest(topic: string, payload: Uint8Array, senderId: string | undefined): string {
  // It says where it ends, so that no two are alike.
  const head = `${topic.length}:${topic}${senderId === undefined ? "-" : `${senderId.length}:${senderId}`}`;
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  // As one text, in which each byte of the payload is a character, it takes half the time of bytes
  // that have to be put together.
  return hash("sha256", head + bytes.toString("latin1"), "base64url").slice(0, DIGEST_LENGTH);
}

const DIGEST_LENGTH = 16;
const DIGEST_BYTES = 12;
/** Of one piece: brokers bound what they take. */
const MOST_DIGESTS = 4_000;

/** Digests as they are sent, in order and in pieces that a broker takes. */
export function writeDigests(digests: readonly string[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < digests.length; at += MOST_DIGESTS)
    pieces.push(Buffer.from(digests.slice(at, at + MOST_DIGESTS).join(""), "base64url"));
  return pieces;
}

/** Reads one piece. */
export function readDigests(piece: Buffer): readonly string[] {
  const digests: string[] = [];
  for (let at = 0; at + DIGEST_BYTES <= piece.length; at += DIGEST_BYTES)
    digests.push(piece.toString("base64url", at, at + DIGEST_BYTES));
  return digests;
}
