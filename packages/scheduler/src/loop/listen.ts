import { ABSORB_QUEUE } from "@skep/api/subjects.ts";
import type { BusMessage, BusSubscription } from "@skep/kit/bus.ts";
import type { LoopPorts } from "./ports.ts";

/**
 * Subscribes to a kind of message of which one scheduler gets each; `kind` is its name for people.
 */
export type Listen = (subject: string, kind: string, handle: (message: BusMessage) => void) => BusSubscription;

/** Makes it. A message that cannot be read is its sender's fault and says nothing of the loop. */
export function createListen({ bus, log }: Pick<LoopPorts, "bus" | "log">): Listen {
  return (subject, kind, handle) => {
    const guarded = (message: BusMessage): void => {
      try {
        handle(message);
      } catch (error) {
        const fields = { subject: message.subject, error };
        log.warn("message.unreadable", `A ${kind} could not be read; update the older side.`, fields);
      }
    };
    return bus.subscribe(subject, guarded, { queue: ABSORB_QUEUE });
  };
}
