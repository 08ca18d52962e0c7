import { ABSORB_QUEUE } from "@skep/api/subjects.ts";
import type { BusMessage, BusSubscription } from "@skep/kit/bus.ts";
import type { LoopPorts } from "./ports.ts";
import type { Unreadable } from "./unreadable.ts";

/**
 * Subscribes to a kind of message of which one scheduler gets each; `kind` is its name for people.
 */
export type Listen = (subject: string, kind: string, handle: (message: BusMessage) => void) => BusSubscription;

/** Makes it. A message that cannot be read is its sender's fault and says nothing of the loop. */
export function createListen({ bus }: Pick<LoopPorts, "bus">, unreadable: Unreadable): Listen {
  return (subject, kind, handle) => {
    const guarded = (message: BusMessage): void => {
      try {
        handle(message);
      } catch (error) {
        unreadable.tell(kind, message.subject, error);
      }
    };
    return bus.subscribe(subject, guarded, { queue: ABSORB_QUEUE });
  };
}
