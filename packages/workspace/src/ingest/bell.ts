import type { Clock } from "@skep/kit/clock.ts";

/** Wakes who waits. */
export interface Bell {
  ring(): void;
  /** Resolves when it rings, after so many ms where they are given, or at the end. */
  wait(ms: number | undefined): Promise<void>;
}

/** Makes one for one waiter at a time, until `ending`. */
export function createBell(clock: Clock, ending: AbortSignal): Bell {
  let ring = (): void => undefined;
  return {
    ring: () => ring(),
    wait: ms =>
      new Promise(resolve => {
        const cancel = ms === undefined ? undefined : clock.timer(ms, finish);
        ring = finish;
        ending.addEventListener("abort", finish, { once: true });
        function finish(): void {
          cancel?.();
          ending.removeEventListener("abort", finish);
          resolve();
        }
      }),
  };
}
