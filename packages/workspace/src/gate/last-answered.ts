import type { Clock } from "@skep/kit/clock.ts";
import type { Message } from "./held-message.ts";

/**
 * What a device was answered last by one connection. Nobody knows whether it read the answers
 * before the connection ended; what it did not read, it sends again.
 */
export interface LastAnswered {
  add(one: Message): void;
  /** The oldest first. */
  all(): readonly Message[];
}

/** So many however long ago: it may be long until a connection that is dead has ended. */
const FEW = 8;
/** As many more as can be under way to a device at a time, for so long. */
const MOST = 100;
const KEPT_MS = 20_000;

/** Makes one without messages. */
export function createLastAnswered(clock: Clock): LastAnswered {
  let answered: Message[] = [];
  let from = 0;
  const isOver = (one: Message): boolean =>
    answered.length - from > MOST || clock.monotonic() - (one.answeredAt ?? 0) > KEPT_MS;
  return {
    add: one => {
      one.answeredAt = Math.floor(clock.monotonic());
      answered.push(one);
      while (answered.length - from > FEW && isOver(answered[from]!)) from += 1;
      if (from < answered.length / 2) return;
      answered = answered.slice(from);
      from = 0;
    },
    all: () => answered.slice(from),
  };
}
