import type { Delivery } from "../channel/delivery.ts";

/** What came by a connection that has ended, waits still, and may be delivered again. */
export interface Outdated {
  /**
   * The earlier delivery of the same message, once; absent where there is none. `waiting` are those
   * that may be it, when another connection begins.
   */
  earlier(delivery: Delivery, waiting: () => readonly Delivery[]): Delivery | undefined;
}

/** Makes it for nothing. */
export function createOutdated(): Outdated {
  const known = new Map<string, Delivery>();
  let connection = 0;
  return {
    earlier: (delivery, waiting) => {
      if (delivery.connection !== connection) {
        connection = delivery.connection;
        known.clear();
        for (const one of waiting()) known.set(sameness(one), one);
      }
      if (!delivery.isRepeated || known.size === 0) return undefined;
      const same = sameness(delivery);
      const earlier = known.get(same);
      known.delete(same);
      return earlier;
    },
  };
}

/** Alike for two deliveries of one message, and for no two messages that wait at once. */
function sameness({ packetId, digest }: Delivery): string {
  return `${packetId} ${digest}`;
}
