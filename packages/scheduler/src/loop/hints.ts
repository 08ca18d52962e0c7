import { encodeEventNotice, type EventNotice, type EventValue } from "@skep/api/codec/notice.ts";
import { SUBJECTS } from "@skep/api/subjects.ts";
import type { Bus } from "@skep/kit/bus.ts";
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

/** Makes the hub on a bus. */
export function createHints(bus: Bus): Hints {
  const handlers = new Set<() => void>();
  const ring = (): void => {
    for (const handle of [...handlers]) handle();
  };
  const subscription = bus.subscribe(SUBJECTS.events, ring);
  // After a gap in the connection anything may have changed.
  const status = bus.onStatus(connected => {
    if (connected) ring();
  });
  return {
    subscribe: handle => {
      handlers.add(handle);
      return { close: () => void handlers.delete(handle) };
    },
    tell: ({ events = [], deploymentIds = [], nodeIds = [] }) => {
      ring();
      const some = <T>(items: readonly T[]): readonly T[] => [...new Set(items)].slice(0, MOST);
      const notice = {
        events: some<EventValue>(events),
        deploymentIds: some(deploymentIds),
        nodeIds: some(nodeIds),
      };
      const bytes = encodeEventNotice(notice);
      // What happened is in the records: a hint that is too long does without it.
      const fits = bytes.byteLength <= bus.maxPayload();
      bus.publish(SUBJECTS.events, fits ? bytes : encodeEventNotice({ ...notice, events: [] }));
    },
    close: async () => {
      subscription.close();
      status.close();
    },
  };
}
