import type { Buffer } from "node:buffer";
import type { Clock } from "@skep/kit/clock.ts";
import { headOf, publishIdOf, qosOf, TYPE, typeOf } from "../mqtt/packet.ts";

/**
 * Ends a connection so that nothing that the broker took from the device is left without an answer,
 * and nothing that it answered is left half done.
 */
export interface Leaving {
  /** Whether it has begun. */
  readonly isLeaving: boolean;
  /** Notes a packet of the device that may pass; `false` for one that is not passed on any more. */
  pass(packet: Buffer): boolean;
  /** Looks again whether something is not answered or not stored yet. */
  look(): void;
  /** Begins to end it. */
  begin(): void;
  /** The connection has ended by itself. */
  close(): void;
}

/** What it works with. */
export interface LeavingOptions {
  readonly clock: Clock;
  /** Sends a ping to the broker. */
  readonly ping: () => void;
  /** Pings that it has not answered, whoever sent them. */
  readonly pings: () => number;
  /** Messages that the broker was given, and that nobody has stored yet. */
  readonly held: () => number;
  /** `unfinished`: messages that were left half way, which the device sends again. */
  readonly end: (unfinished: number) => void;
}

/** What is not finished within this time is ended all the same. */
const MOST_MS = 5_000;

/**
 * Makes one. From `begin` on messages of QoS 1 and 2 stay with the device, which sends them again
 * to the next broker. What it had begun of QoS 2 is finished first. Then a ping goes to the broker.
 * Its answer comes behind all others, so that nobody has to guess whether one is still on its way.
 * What the broker took is waited for as well: who reads there stores it, while without an id the
 * next broker would take it for another message.
 */
export function createLeaving({ clock, ping, pings, held, end }: LeavingOptions): Leaving {
  const begun = new Set<number>();
  let isLeaving = false;
  let isAsked = false;
  let isOver = false;
  let cancelLate = (): void => undefined;

  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    cancelLate();
    end(Math.max(begun.size, held()));
  };
  const look = (): void => void (isAsked && pings() === 0 && held() === 0 && finish());
  const ask = (): void => {
    if (!isLeaving || isAsked || begun.size > 0) return;
    isAsked = true;
    ping();
  };

  return {
    get isLeaving() {
      return isLeaving;
    },
    pass: packet => {
      const type = typeOf(packet);
      if (type === TYPE.publish) {
        const qos = qosOf(packet);
        if (qos > 0 && isLeaving) return false;
        if (qos === 2) begun.add(publishIdOf(packet));
      } else if (type === TYPE.pubrel) {
        begun.delete(packet.readUInt16BE(headOf(packet)));
        // The packet itself goes first.
        if (isLeaving) queueMicrotask(ask);
      }
      return true;
    },
    look,
    begin: () => {
      if (isLeaving) return;
      isLeaving = true;
      cancelLate = clock.timer(MOST_MS, finish);
      ask();
    },
    close: () => {
      isOver = true;
      cancelLate();
    },
  };
}
