import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Ender } from "./ender.ts";
import type { Guard } from "./guard.ts";
import { createWatch } from "./watch.ts";

/** The twin: a guard in the same process, on a clock that goes on while its agent does not. */
export interface MemoryGuard extends Guard {
  /** Whether it runs; what it was told stays in force anyway. */
  runs: boolean;
  /** Whether it has nothing left to do after its agent has gone. */
  readonly isIdle: () => boolean;
}

/** Makes it. */
export function createMemoryGuard(deps: {
  readonly ender: Ender;
  readonly clock: Clock;
  readonly log: Log;
}): MemoryGuard {
  let idle = false;
  const watch = createWatch({ ...deps, onIdle: () => (idle = true) });
  const guard: MemoryGuard = {
    runs: true,
    isIdle: () => idle,
    watch: async copies => {
      if (!guard.runs) throw new Error("the guard has ended");
      const now = deps.clock.monotonic();
      watch.take(copies.map(({ containerId, until }) => ({ containerId, inMs: until - now })));
    },
    close: () => watch.orphan(),
  };
  return guard;
}
