import type { HostAnswer, HostedStatus } from "@skep/core/workspace/host-report.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Loops } from "@skep/kit/loops.ts";
import type { Random } from "@skep/kit/random.ts";
import { attach } from "./attach.ts";
import type { ContainerFactory } from "./container.ts";
import type { Enrolled, HostApi } from "./host-api.ts";
import { createKeeper } from "./keeper.ts";
import { createReadLeases } from "./read-leases.ts";
import { createReporter, type HostFacts } from "./reporter.ts";

/** What a host is made from. */
export interface HostPorts {
  readonly api: HostApi;
  readonly containers: ContainerFactory;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly loops: Loops;
  readonly facts: HostFacts;
}

/** One host, under one id. */
export interface HostLife {
  statuses(): readonly HostedStatus[];
  /** Whether a scheduler answered lately. */
  isHeard(): boolean;
  /** Why it has to begin anew under another id; pending while it has not. */
  readonly anew: Promise<string>;
  /** Says that it gives everything away. */
  drain(): void;
  /** Lets go of everything. Nothing is read from its first moment on. */
  close(): Promise<void>;
}

/** Who knows of a later revision, and is not told it within this time, attaches again. */
const TOLD_WITHIN_MS = 2_000;

/** Begins to report, and to do what it is told. */
export function beginHostLife(ports: HostPorts, enrolled: Enrolled): HostLife {
  const { api, clock, loops } = ports;
  const leases = createReadLeases(clock);
  let isDraining = false;
  let tell: (because: string) => void = () => undefined;
  const anew = new Promise<string>(resolve => (tell = resolve));
  let behindSince: number | undefined;
  let heard = 0;

  const { hostId } = enrolled;
  const keeper = createKeeper({ ...ports, leases, onChange: () => reporter?.hint() }, hostId);
  const attachment = attach({ api, clock, loops, hostId, onAssignment: keeper.take });

  function onAnswer({ anew: because, revision }: HostAnswer): void {
    if (because !== "") return tell(because);
    // What was said to be over meanwhile this host would never begin again.
    if (revision < heard) return tell(`the records know an older state of host ${hostId} than they answered before`);
    heard = revision;
    if (revision <= keeper.applied().revision) behindSince = undefined;
    else behindSince ??= clock.monotonic();
    if (behindSince === undefined || clock.monotonic() - behindSince < TOLD_WITHIN_MS) return;
    behindSince = undefined;
    attachment.renew();
  }

  const reporter = createReporter({ ...ports, enrolled, keeper, leases, isDraining: () => isDraining, onAnswer });
  return {
    statuses: () => keeper.statuses(),
    isHeard: () => leases.isHeard(),
    anew,
    drain: () => {
      isDraining = true;
      reporter.hint();
    },
    close: async () => {
      await Promise.all([keeper.close(), attachment.close(), reporter.close()]);
    },
  };
}
