import type { Clock } from "@skep/kit/clock.ts";

/** Wakes the leader for reports. */
export interface ReportWake {
  soon(because: string): void;
  close(): void;
}

/**
 * How long the leader is not woken for a report: a busy fleet sends one for each placement, and
 * those of this time share one look. A look that somebody else asks for meanwhile sees them too.
 */
const DELAY_MS = 15;

/** Makes it around whoever passes the word on. */
export function createReportWake(clock: Pick<Clock, "timer">, wake: (because: string) => void): ReportWake {
  let cancel: (() => void) | undefined;
  return {
    soon: because => {
      cancel ??= clock.timer(DELAY_MS, () => {
        cancel = undefined;
        wake(because);
      });
    },
    close: () => cancel?.(),
  };
}
