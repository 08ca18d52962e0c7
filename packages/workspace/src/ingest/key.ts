import { createHash, randomBytes } from "node:crypto";
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

const PREFIX_BYTES = 12;

/** Makes keys that no other maker makes. */
export function createKeyMaker(maker: string = randomBytes(6).toString("base64url")): KeyMaker {
  let made = 0;
  return {
    fresh: delivery =>
      delivery.senderId === undefined
        ? `${prefixOf(delivery)}.${maker}${(made++).toString(36)}`
        : `id.${digest([delivery.topic, delivery.senderId, delivery.payload])}`,
    prefix: delivery =>
      delivery.isRepeated && delivery.packetId > 0 && delivery.senderId === undefined
        ? `${prefixOf(delivery)}.`
        : undefined,
  };
}

/** The same for each delivery of one message within a session. */
function prefixOf({ topic, payload, packetId }: Delivery): string {
  return digest([topic, String(packetId), payload]);
}

function digest(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest().subarray(0, PREFIX_BYTES).toString("base64url");
}
