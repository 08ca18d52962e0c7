import type { HostedStatus } from "@skep/core/workspace/host-report.ts";
import { createLoops, type LoopState } from "@skep/kit/loops.ts";
import { beginHostLife, type HostLife, type HostPorts } from "./host-life.ts";

/** A process that runs workspaces. */
export interface Host {
  /** Begins; lives through anything, so there is nothing to wait for. */
  start(): void;
  /**
   * Gives everything away, for as long as it takes and `graceMs` at most, then lets go of the rest.
   */
  stop(graceMs: number): Promise<void>;
  statuses(): readonly HostedStatus[];
  /** Whether a scheduler answered lately. */
  isHeard(): boolean;
  loops(): readonly LoopState[];
}

/** What a host is made from. */
export interface HostDeps extends Omit<HostPorts, "loops"> {
  /** Random, and another one with each call. */
  readonly newIdentity: () => string;
}

/**
 * How long a host that gives everything away waits for the word of the leader. Where none leads,
 * somebody else takes over when its lease has ended.
 */
const LOOK_MS = 100;
const RETRY = { baseMs: 100, maxMs: 2_000 };

/** Wires a host out of its ports, without a socket or a file. */
export function createHost(deps: HostDeps): Host {
  const { api, clock, log } = deps;
  const loops = createLoops(deps);
  const closing = new AbortController();
  let life: HostLife | undefined;
  let living: Promise<void> = Promise.resolve();

  async function live(): Promise<void> {
    const outage = loops.watch("enrol", { retry: RETRY });
    while (!closing.signal.aborted) {
      const identity = deps.newIdentity();
      const enrolled = await api.enrol(identity, closing.signal).catch(async (error: unknown) => {
        if (!closing.signal.aborted) await clock.sleep(outage.failed(error), closing.signal);
      });
      if (enrolled === undefined || closing.signal.aborted) continue;
      outage.succeeded();
      log.info("host.enrolled", "This process is a host now.", { ...enrolled });
      life = beginHostLife({ ...deps, loops }, enrolled);
      const because = await Promise.race([life.anew, aborted(closing.signal)]);
      if (because === undefined) break;
      log.warn("host.anew", "This host lets go of everything and begins anew.", { hostId: enrolled.hostId, because });
      await life.close();
      life = undefined;
    }
    outage.close();
  }

  return {
    start: () => void (living = live()),
    stop: async graceMs => {
      const until = clock.monotonic() + graceMs;
      life?.drain();
      while (clock.monotonic() < until && hasAny(life)) await clock.sleep(LOOK_MS);
      closing.abort();
      await living;
      await life?.close();
    },
    statuses: () => life?.statuses() ?? [],
    isHeard: () => life?.isHeard() ?? false,
    loops: () => loops.states(),
  };
}

function hasAny(life: HostLife | undefined): boolean {
  return life !== undefined && life.statuses().length > 0;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise(resolve => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
