import type { Clock } from "@skep/kit/clock.ts";
import type { Delivery } from "../channel/delivery.ts";
import { createAllowance } from "./allowance.ts";
import { batchWaitMs, type BatchPolicy } from "./batch.ts";
import { createBell } from "./bell.ts";
import { createBrake } from "./brake.ts";
import { createOutdated } from "./outdated.ts";

/** What was read and is not stored yet. */
export interface Queue {
  add(delivery: Delivery): void;
  /** The next batch, once it is due; it stays in the queue until it is done. Absent at the end. */
  next(): Promise<readonly Delivery[] | undefined>;
  /** The batch that was begun first, of so many messages, is stored. */
  done(count: number): void;
  size(): number;
  /** Stores so many in a second from now on (R17); `undefined` for as many as come. */
  limit(perSecond: number | undefined): void;
  /** How often a batch had to wait, since the workspace stores no more in a second. */
  throttled(): number;
  /** Forgets all, and answers what it was. */
  clear(): readonly Delivery[];
}

/** Makes an empty one, until `ending`; `pause` stops and goes on with reading from the wire. */
export function createQueue(
  clock: Clock,
  policy: BatchPolicy,
  pause: (isPaused: boolean) => void,
  ending: AbortSignal,
): Queue {
  let waiting: Delivery[] = [];
  /** How many of them, from the front, are in batches that are being stored. */
  let underWay = 0;
  /** Of those that are not being stored, when the first came. */
  let firstAt = 0;
  let bytes = 0;
  const brake = createBrake(policy.most, pause);
  const outdated = createOutdated();
  const bell = createBell(clock, ending);
  let allowance = createAllowance(policy.mostPerSecond, clock.monotonic());
  let throttled = 0;

  /**
   * The broker delivers again, by its new connection, what was not acknowledged; but not where it
   * has lost the session, so that nothing is forgotten before it comes again.
   */
  function forgetEarlier(delivery: Delivery): void {
    const earlier = outdated.earlier(delivery, () => waiting.slice(underWay));
    const at = earlier === undefined ? -1 : waiting.indexOf(earlier, underWay);
    // What is being stored already has its key, by which the later one is known.
    if (earlier === undefined || at === -1) return;
    waiting.splice(at, 1);
    bytes -= sizeOf(earlier);
  }

  return {
    add: delivery => {
      forgetEarlier(delivery);
      if (waiting.length === underWay) firstAt = clock.monotonic();
      waiting.push(delivery);
      bytes += sizeOf(delivery);
      brake.measure(waiting.length, bytes);
      const pending = waiting.length - underWay;
      if (pending === 1 || pending === policy.most) bell.ring();
    },
    next: async () => {
      while (!ending.aborted) {
        const pending = waiting.length - underWay;
        const waitMs = batchWaitMs(pending, firstAt, clock.monotonic(), policy);
        if (waitMs === 0) {
          const slowMs = allowance.waitMs(Math.min(pending, policy.most), clock.monotonic());
          if (slowMs === 0) break;
          throttled += 1;
          await clock.sleep(slowMs, ending);
        } else await bell.wait(waitMs);
      }
      if (ending.aborted) return undefined;
      const count = allowance.take(Math.min(waiting.length - underWay, policy.most), clock.monotonic());
      const batch = waiting.slice(underWay, underWay + count);
      underWay += count;
      return batch;
    },
    done: count => {
      for (const one of waiting.slice(0, count)) bytes -= sizeOf(one);
      waiting = waiting.slice(count);
      underWay -= count;
      brake.measure(waiting.length, bytes);
    },
    size: () => waiting.length,
    limit: perSecond => void (allowance = createAllowance(perSecond, clock.monotonic())),
    throttled: () => throttled,
    clear: () => waiting.splice(0),
  };
}

function sizeOf({ topic, payload }: Delivery): number {
  return topic.length + payload.length;
}
