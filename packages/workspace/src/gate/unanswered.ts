import type { Clock } from "@skep/kit/clock.ts";
import type { Message, Owner } from "./held-message.ts";

/**
 * What devices had no answer to when their connections ended, or one that they may not have read. A
 * device sends that again; the broker has it, and would take it for another message.
 */
export interface Unanswered {
  /**
   * Keeps what a broker has acknowledged, until its device comes back; of two with one number the
   * last.
   */
  keep(messages: readonly Message[]): void;
  /** Gives out what a device sends again; the packet id is the device's own to use anew. */
  take(sent: Sent): Message | undefined;
}

/** A message as it comes. */
export type Sent = Pick<Message, "user" | "packetId" | "digest" | "qos"> & { readonly isRepeated: boolean };

/** So long a device may stay away that has not heard that its message is stored. */
const KEPT_MS = 60_000;
/**
 * Not all mark what they send again (MQTT.js does not). What had no answer and comes sooner after
 * the end of a connection with the same number and content is taken for the same.
 */
const UNMARKED_MS = 15_000;
/**
 * Of all devices; what is more is passed on as another message. What was answered takes half of
 * that at most, as most of it is never sent again.
 */
const MOST_KEPT = 100_000;
/** Of one device, lest it take the room of the others by coming and going. */
const MOST_OF_DEVICE = 1_000;

interface Kept {
  readonly one: Message;
  readonly at: number;
}

/** Keeps nothing yet. */
export function createUnanswered(clock: Clock, most = MOST_KEPT): Unanswered {
  const devices = new Map<string, Map<number, Kept>>();
  let size = 0;

  function forget(one: Message): void {
    const kept = devices.get(one.user);
    if (kept?.get(one.packetId)?.one !== one) return;
    kept.delete(one.packetId);
    size -= 1;
    if (kept.size === 0) devices.delete(one.user);
  }

  const owner: Owner = { stored: one => void (one.isStored = true), lost: forget };

  /** What is not stored stays as long as it waits, and what was kept anew its own minute. */
  function sweep(all: readonly Kept[]): void {
    const left = all.filter(kept => devices.get(kept.one.user)?.get(kept.one.packetId) === kept);
    for (const { one } of left.filter(each => each.one.isStored)) forget(one);
    const waiting = left.filter(({ one }) => !one.isStored);
    if (waiting.length > 0) clock.timer(KEPT_MS, () => sweep(waiting));
  }

  const isRoomFor = (one: Message, ofDevice: number): boolean =>
    ofDevice < MOST_OF_DEVICE && size < (one.answeredAt === undefined ? most : most / 2);

  return {
    keep: messages => {
      const all: Kept[] = [];
      for (const one of messages) {
        one.owner = owner;
        const before = devices.get(one.user)?.get(one.packetId);
        if (before !== undefined) forget(before.one);
        const kept = devices.get(one.user) ?? new Map<number, Kept>();
        if (!isRoomFor(one, kept.size)) continue;
        const entry = { one, at: clock.monotonic() };
        devices.set(one.user, kept.set(one.packetId, entry));
        all.push(entry);
        size += 1;
      }
      if (all.length > 0) clock.timer(KEPT_MS, () => sweep(all));
    },
    take: ({ user, packetId, digest, qos, isRepeated }) => {
      const kept = devices.get(user)?.get(packetId);
      if (kept === undefined) return undefined;
      const { one, at } = kept;
      forget(one);
      const isSame = one.digest === digest && one.qos === qos;
      // A device may say the same with the same number each time that it begins.
      const isUnmarked = one.answeredAt === undefined && clock.monotonic() - at < UNMARKED_MS;
      return isSame && (isRepeated || isUnmarked) ? one : undefined;
    },
  };
}
