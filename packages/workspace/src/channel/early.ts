import type { Delivery } from "./delivery.ts";

/** What a broker delivered before anybody wanted it. */
export interface Early {
  add(delivery: Delivery): void;
  /** Gives them out, once. */
  take(): readonly Delivery[];
  /** How many at QoS 0 were thrown away. */
  lost(): number;
}

/**
 * Keeps so many. At QoS 1 the receive maximum bounds what comes; at QoS 0 nothing does until the
 * wire is paused, which is only once the broker has granted the topics. What is too much there is
 * thrown away and counted, as the broker does with QoS 0 itself.
 */
export function createEarly(most: number): Early {
  const kept: Delivery[] = [];
  let lost = 0;
  return {
    add: delivery => {
      if (delivery.packetId === 0 && kept.length >= most) lost += 1;
      else kept.push(delivery);
    },
    take: () => kept.splice(0),
    lost: () => lost,
  };
}
