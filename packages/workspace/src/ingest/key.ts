import { randomBytes } from "node:crypto";
import type { Delivery } from "../channel/delivery.ts";
import { KEY_PLACE_LENGTH, KEY_TIME_LENGTH } from "../message.ts";

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
   * What the key of an earlier delivery of it begins with behind its place in the order; absent
   * where `fresh` is the same again, or nobody knows.
   */
  prefix(delivery: Delivery): string | undefined;
}

/** Of 65,535 and 268,435,455 in base 36: all beginnings have one length. */
const PACKET_ID_LENGTH = 4;
const SUBSCRIPTION_ID_LENGTH = 6;

/** Makes keys that no other maker makes. */
export function createKeyMaker(maker: string = randomBytes(6).toString("base64url")): KeyMaker {
  let made = 0;
  let [latest, time, place] = [-1, "", 0];
  /** In the order of what is asked for, also within a millisecond; a whole batch has one time. */
  const orderOf = (now: number): string => {
    if (now === latest) place += 1;
    else [latest, time, place] = [now, inBase36(now, KEY_TIME_LENGTH), 0];
    return `${time}${inBase36(place, KEY_PLACE_LENGTH)}`;
  };
  return {
    fresh: (delivery, now) =>
      delivery.senderId === undefined
        ? `${orderOf(now)}${prefixOf(delivery)}.${maker}${(made++).toString(36)}`
        : `id.${delivery.digest}`,
    prefix: delivery => {
      const { isRepeated, senderId, subscriptionId } = delivery;
      // Without a subscription nobody knows which session its packet id is of: rather stored twice.
      return isRepeated && senderId === undefined && subscriptionId > 0 ? `${prefixOf(delivery)}.` : undefined;
    },
  };
}

function inBase36(number: number, length: number): string {
  return Math.max(0, number).toString(36).padStart(length, "0").slice(-length);
}

/**
 * The same for each delivery of one message. A session that begins anew counts packet ids from 1
 * again, and a message keeps the subscription that it was kept for.
 */
function prefixOf({ digest, packetId, subscriptionId }: Delivery): string {
  return `${digest}${inBase36(packetId, PACKET_ID_LENGTH)}${inBase36(subscriptionId, SUBSCRIPTION_ID_LENGTH)}`;
}
