import { hash, randomBytes } from "node:crypto";
import type { Delivery } from "../channel/delivery.ts";

/**
 * What a message is stored under, so that one which is delivered twice is stored once, and two that
 * are alike are stored twice. See the README for why each part is needed.
 */
export interface KeyMaker {
  /** The key of a message that was not delivered before, or whose sender numbers what it sends. */
  fresh(delivery: Delivery): string;
  /**
   * What the key of an earlier delivery of it begins with; absent where `fresh` is the same again.
   */
  prefix(delivery: Delivery): string | undefined;
}

/** Twelve bytes, in letters. */
const DIGEST_LENGTH = 16;

/** Makes keys that no other maker makes. */
export function createKeyMaker(maker: string = randomBytes(6).toString("base64url")): KeyMaker {
  let made = 0;
  return {
    fresh: delivery =>
      delivery.senderId === undefined
        ? `${prefixOf(delivery)}.${maker}${(made++).toString(36)}`
        : `id.${digest(headOf(delivery.topic, delivery.senderId), delivery.payload)}`,
    prefix: delivery => (delivery.isRepeated && delivery.senderId === undefined ? `${prefixOf(delivery)}.` : undefined),
  };
}

/** The same for each delivery of one message within a session. */
function prefixOf({ topic, payload, packetId }: Delivery): string {
  return digest(headOf(topic, String(packetId)), payload);
}

function headOf(topic: string, name: string): string {
  return `${topic.length}:${topic}${name.length}:${name}`;
}

/** `head` says where it ends, so that no two pairs are alike. In one piece it takes a third. */
function digest(head: string, payload: Uint8Array): string {
  return hash("sha256", Buffer.concat([Buffer.from(head), payload]), "base64url").slice(0, DIGEST_LENGTH);
}
