import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { createAlarmWindow } from "./alarm-window.ts";

/** Says which messages could not be read. */
export interface Unreadable {
  tell(kind: string, subject: string, error: unknown): void;
  close(): void;
}

/**
 * Makes it. Each subject, and with it each sender, is said once in a window of alarms: an agent of
 * another version sends such a message every second.
 */
export function createUnreadable(
  { clock, log }: { readonly clock: Pick<Clock, "monotonic" | "timer">; readonly log: Log },
  event: string,
): Unreadable {
  const alarms = createAlarmWindow(clock, leftOut =>
    log.warn(event, `${leftOut} more messages could not be read; update the older side.`, { leftOut }),
  );
  return {
    tell: (kind, subject, error) => {
      if (!alarms.isNew(subject)) return;
      log.warn(event, `A ${kind} could not be read; update the older side.`, { subject, error });
    },
    close: () => alarms.close(),
  };
}
