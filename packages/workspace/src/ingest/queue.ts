import type { Clock } from "@skep/kit/clock.ts";
import type { Delivery } from "../channel/delivery.ts";
import { batchWaitMs, type BatchPolicy } from "./batch.ts";

/** What was read and is not stored yet. */
export interface Queue {
  add(delivery: Delivery): void;
  /** The next batch, once it is due; it stays in the queue until it is done. Empty at the end. */
  next(): Promise<readonly Delivery[]>;
  /** The batch of the last `next` is stored. */
  done(): void;
  size(): number;
}

/** At QoS 0 nothing holds the sender back, so nothing is read while so many batches wait. */
const MOST_WAITING_BATCHES = 4;

/** Makes an empty one, until `ending`; `pause` stops and goes on with reading from the wire. */
export function createQueue(
  clock: Clock,
  policy: BatchPolicy,
  pause: (isPaused: boolean) => void,
  ending: AbortSignal,
): Queue {
  let waiting: Delivery[] = [];
  /** How many of them, from the front, are being stored. */
  let underWay = 0;
  let connection = 0;
  let firstAt = 0;
  let isHeld = false;
  let wake = (): void => undefined;

  function hold(): void {
    const isToBe = waiting.length >= policy.most * MOST_WAITING_BATCHES;
    if (isToBe === isHeld) return;
    isHeld = isToBe;
    pause(isHeld);
  }

  /** The broker sends again, by its new connection, what the one before did not acknowledge. */
  function forget(next: number): void {
    connection = next;
    const rest = waiting.slice(underWay).filter(one => one.packetId === 0);
    waiting = [...waiting.slice(0, underWay), ...rest];
  }

  function woken(waitMs: number | undefined): Promise<void> {
    return new Promise(resolve => {
      const cancel = waitMs === undefined ? undefined : clock.timer(waitMs, finish);
      wake = finish;
      ending.addEventListener("abort", finish, { once: true });
      function finish(): void {
        cancel?.();
        ending.removeEventListener("abort", finish);
        resolve();
      }
    });
  }

  return {
    add: delivery => {
      if (delivery.connection !== connection) forget(delivery.connection);
      if (waiting.length === 0) firstAt = clock.now();
      waiting.push(delivery);
      hold();
      if (waiting.length === 1 || waiting.length === policy.most) wake();
    },
    next: async () => {
      while (!ending.aborted) {
        const waitMs = batchWaitMs(waiting.length, firstAt, clock.now(), policy);
        if (waitMs === 0) break;
        await woken(waitMs);
      }
      if (ending.aborted) return [];
      const batch = waiting.slice(0, policy.most);
      underWay = batch.length;
      return batch;
    },
    done: () => {
      waiting = waiting.slice(underWay);
      underWay = 0;
      firstAt = clock.now();
      hold();
    },
    size: () => waiting.length,
  };
}
