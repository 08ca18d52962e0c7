import type { AssignedWorkspace } from "@skep/core/workspace/host-assignment.ts";
import type { HostedStatus } from "@skep/core/workspace/host-report.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Random } from "@skep/kit/random.ts";
import { retryDelay } from "@skep/kit/retry.ts";
import type { ContainerFactory, RunningContainer } from "./container.ts";
import type { ReadLeases } from "./read-leases.ts";

/** What a lane works with. */
export interface LanePorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly containers: ContainerFactory;
  readonly leases: Pick<ReadLeases, "mayRead">;
  /** Called when its status has changed. */
  readonly onChange: () => void;
}

/** One workspace on this host: what is wanted of it is done step by step, never two at once. */
export interface Lane {
  /** Takes what is wanted now; answers why not where it is older than what it has. */
  want(workspace: AssignedWorkspace): string | undefined;
  /** This placement is over: it is let go of, and then nothing is left to tell. */
  end(): void;
  epoch(): number;
  status(): HostedStatus;
  /** Whether it is over and nothing is left of it. */
  isGone(): boolean;
  /** Lets go of it; resolves when that is done. */
  close(): Promise<void>;
}

interface Held {
  readonly container: RunningContainer;
  readonly began: AssignedWorkspace;
  applied: AssignedWorkspace;
  /** Nothing may be read by its lease any more. */
  readonly endLease: () => void;
}

const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** One that takes longer to close is given up: it reads nothing, as its lease is gone. */
const CLOSE_MS = 10_000;

/** Begins to do what is wanted of a workspace. */
export function createLane(ports: LanePorts, first: AssignedWorkspace): Lane {
  const { clock, log, random, containers, leases, onChange } = ports;
  let wanted = first;
  let isOver = false;
  let held: Held | undefined;
  let isStarting = false;
  let isWoken = false;
  let failures = 0;
  let lastError = "";
  let waiting: AbortController | undefined;
  let working: Promise<void> | undefined;

  const isToRun = (): boolean => !isOver && wanted.desired === "run";

  /** Whether what runs may go on, with or without an update. */
  const fits = ({ began }: Held): boolean =>
    isToRun() && began.epoch === wanted.epoch && began.restarts === wanted.restarts;

  /** Does one thing; answers whether there may be another. */
  async function step(): Promise<boolean> {
    if (held !== undefined && !fits(held)) await letGo(held);
    else if (held !== undefined && held.applied !== wanted) await update(held);
    else if (held === undefined && isToRun()) await begin();
    else return false;
    onChange();
    return true;
  }

  async function begin(): Promise<void> {
    const workspace = wanted;
    const own = { workspaceId: workspace.id, epoch: workspace.epoch };
    let isEnded = false;
    const lease = { mayRead: () => !isEnded && isToRun() && wanted.epoch === own.epoch && leases.mayRead(own) };
    const endLease = (): void => void (isEnded = true);
    await tried("started", async () => {
      isStarting = true;
      const starting = containers.start(workspace, lease).finally(() => (isStarting = false));
      held = { container: await starting, began: workspace, applied: workspace, endLease };
    });
  }

  async function update(of: Held): Promise<void> {
    const next = wanted;
    await tried("changed", async () => {
      await of.container.update(next);
      of.applied = next;
    });
  }

  async function letGo(of: Held): Promise<void> {
    of.endLease();
    const given = new AbortController();
    const late = clock.sleep(CLOSE_MS, given.signal).then(() => {
      if (!given.signal.aborted) throw new Error(`it did not end within ${CLOSE_MS} ms`);
    });
    await Promise.race([of.container.close(), late])
      .catch((error: unknown) => {
        const sentence = "A workspace could not be let go of cleanly; it reads nothing, as its lease is gone.";
        log.error("workspace.unclean", sentence, { workspaceId: of.began.id, epoch: of.began.epoch, error });
      })
      .finally(() => given.abort());
    held = undefined;
    lastError = "";
  }

  /** A step that failed is tried again after a pause, or at once when something else is wanted. */
  async function tried(what: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
      failures = 0;
      lastError = "";
    } catch (error) {
      failures += 1;
      lastError = error instanceof Error ? error.message : String(error);
      const fields = { workspaceId: wanted.id, epoch: wanted.epoch, failures, error };
      if (failures === 1)
        log.warn("workspace.failed", `A workspace could not be ${what}; trying until it can.`, fields);
      onChange();
      waiting = new AbortController();
      await clock.sleep(retryDelay(failures, random, BACKOFF), waiting.signal);
      waiting = undefined;
    }
  }

  function work(): void {
    isWoken = true;
    waiting?.abort();
    working ??= (async () => {
      while (isWoken) {
        isWoken = false;
        while (await step());
      }
      working = undefined;
    })();
  }

  const isEmpty = (): boolean => held === undefined && !isStarting;

  work();
  return {
    want: next => {
      const because = whyOlder(wanted, next, isOver);
      if (because !== undefined) return because;
      if (JSON.stringify(next) === JSON.stringify(wanted)) return undefined;
      isOver = false;
      wanted = next;
      work();
      return undefined;
    },
    end: () => {
      isOver = true;
      work();
    },
    epoch: () => wanted.epoch,
    status: () => {
      const isOwn = held?.began.epoch === wanted.epoch;
      return {
        ...{ workspaceId: wanted.id, epoch: wanted.epoch },
        state: isOwn ? "running" : isToRun() || !isEmpty() ? "assigned" : "stopped",
        isHealthy: isOwn && held!.container.isHealthy(),
        counts: isOwn ? held!.container.counts() : {},
        lastError: lastError || (isOwn ? held!.container.lastError() : ""),
      };
    },
    isGone: () => isOver && isEmpty(),
    close: async () => {
      isOver = true;
      work();
      await working;
    },
  };
}

/** Of one placement what is to stop stays so, and what is wanted only grows newer. */
function whyOlder(known: AssignedWorkspace, next: AssignedWorkspace, isOver: boolean): string | undefined {
  if (next.epoch > known.epoch) return undefined;
  if (next.epoch < known.epoch) return `its epoch ${next.epoch} is lower than ${known.epoch}`;
  if (isOver) return `its epoch ${next.epoch} is over`;
  if (known.desired === "stop" && next.desired === "run") return `its epoch ${next.epoch} was told to stop`;
  return next.version < known.version ? `its version ${next.version} is lower than ${known.version}` : undefined;
}
