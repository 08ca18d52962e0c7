import { randomBytes } from "node:crypto";
import type { Delivery } from "../channel/delivery.ts";
import { KEY_TIME_LENGTH } from "../message.ts";

/**
 * What a message is stored under, so that one which is delivered twice is stored once, and two that
 * are alike are stored twice. See the README for why each part is needed.
 */
export interface KeyMaker {
  /**
   * The key of a message that was not delivered before, or whose sender numbers what it sends; the
   * time is in ms since 1970.
   */
  fresh(delivery: Delivery, now: number): string;
  /**
   * What the key of an earlier delivery of it begins with behind its time; absent where `fresh` is
   * the same again.
   */
  prefix(delivery: Delivery): string | undefined;
}

/** Of 65,535 and 268,435,455 in base 36: all beginnings have one length. */
const PACKET_ID_LENGTH = 4;
const SUBSCRIPTION_ID_LENGTH = 6;

/** Makes keys that no other maker makes. */
export function createKeyMaker(maker: string = randomBytes(6).toString("base64url")): KeyMaker {
  let made = 0;
  return {
    fresh: (delivery, now) =>
      delivery.senderId === undefined
        ? `${timeOf(now)}${prefixOf(delivery)}.${maker}${(made++).toString(36)}`
        : `id.${delivery.digest}`,
    prefix: delivery => {
      const { isRepeated, senderId, subscriptionId } = delivery;
      // Without a subscription nobody knows which session its packet id is of: rather stored twice.
      return isRepeated && senderId === undefined && subscriptionId > 0 ? `${prefixOf(delivery)}.` : undefined;
    },
  };
}

function timeOf(now: number): string {
  return Math.max(0, now).toString(36).padStart(KEY_TIME_LENGTH, "0").slice(-KEY_TIME_LENGTH);
}

/**
 * The same for each delivery of one message. A session that begins anew counts packet ids from 1
 * again, and a message keeps the subscription that it was kept for.
 */
function prefixOf({ digest, packetId, subscriptionId }: Delivery): string {
  const packet = packetId.toString(36).padStart(PACKET_ID_LENGTH, "0");
  return `${digest}${packet}${subscriptionId.toString(36).padStart(SUBSCRIPTION_ID_LENGTH, "0")}`;
}
