import { encodeEventNotice, type EventNotice, type EventValue } from "@skep/api/codec/notice.ts";
import { SUBJECTS } from "@skep/api/subjects.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Running } from "./ports.ts";

/**
 * Hints that records may have changed, within this process and to all others; a lost one only costs
 * time.
 */
export interface Hints extends Running {
  /** Called for every hint, ours and others'. */
  subscribe(handle: () => void): { close(): void };
  /** Something changed: tells everybody. */
  tell(notice: Partial<EventNotice>): void;
}

/** A notice is a hint: beyond this many of each, it need not be complete. */
const MOST = 200;

/** Notices that follow one another within this time go out as one. */
const GAP_MS = 25;

/** Makes the hub on a bus. */
export function createHints(bus: Bus, clock: Pick<Clock, "timer">): Hints {
  const handlers = new Set<() => void>();
  const ring = (): void => {
    for (const handle of [...handlers]) handle();
  };
  const subscription = bus.subscribe(SUBJECTS.events, ring);
  // After a gap in the connection anything may have changed.
  const status = bus.onStatus(connected => {
    if (connected) ring();
  });
  let gathered: Gathered | undefined;
  let cancel: (() => void) | undefined;

  function send(): void {
    cancel = undefined;
    if (gathered === undefined) return;
    const notice = gathered;
    gathered = undefined;
    bus.publish(SUBJECTS.events, encodeWithin(notice, bus.maxPayload()));
    cancel = clock.timer(GAP_MS, send);
  }

  return {
    subscribe: handle => {
      handlers.add(handle);
      return { close: () => void handlers.delete(handle) };
    },
    tell: ({ events = [], deploymentIds = [], nodeIds = [] }) => {
      ring();
      gathered ??= { events: [], deploymentIds: new Set(), nodeIds: new Set() };
      for (const event of events) if (gathered.events.length < MOST) gathered.events.push(event);
      for (const id of deploymentIds) if (gathered.deploymentIds.size < MOST) gathered.deploymentIds.add(id);
      for (const id of nodeIds) if (gathered.nodeIds.size < MOST) gathered.nodeIds.add(id);
      if (cancel === undefined) send();
    },
    close: async () => {
      cancel?.();
      send();
      cancel?.();
      subscription.close();
      status.close();
    },
  };
}

/** What was told since the last notice. */
interface Gathered {
  readonly events: EventValue[];
  readonly deploymentIds: Set<string>;
  readonly nodeIds: Set<string>;
}

function encodeWithin({ events, deploymentIds, nodeIds }: Gathered, maxBytes: number): Uint8Array {
  const notice = { events, deploymentIds: [...deploymentIds], nodeIds: [...nodeIds] };
  const bytes = encodeEventNotice(notice);
  // What happened is in the records: a hint that is too long does without it.
  return bytes.byteLength <= maxBytes ? bytes : encodeEventNotice({ ...notice, events: [] });
}
