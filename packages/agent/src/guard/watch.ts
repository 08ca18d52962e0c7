import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { due, type Deadline, type Deadlines } from "./deadlines.ts";
import type { Ender } from "./ender.ts";
import type { Told } from "./message.ts";

/** A guard at work: it ends containers whose deadlines pass. */
export interface Watch {
  /** Takes deadlines; they replace all that were there. */
  take(copies: readonly Told[]): void;
  /** The agent is gone: what is held is ended when its time comes, and then nothing is left. */
  orphan(): void;
}

/** Makes it; `onIdle` is called when an orphan has nothing left. */
export function createWatch(deps: {
  readonly ender: Ender;
  readonly clock: Clock;
  readonly log: Log;
  readonly onIdle: () => void;
}): Watch {
  const { ender, clock, log, onIdle } = deps;
  const ending = new Set<string>();
  const saidOf = new Set<string>();
  let deadlines: Deadlines = new Map<string, Deadline>();
  let isOrphan = false;
  let cancel = (): void => undefined;

  function look(): void {
    cancel();
    const now = clock.monotonic();
    const { toEnd, kept, givenUp, wakeAt } = due(deadlines, now, isOrphan);
    deadlines = kept;
    for (const containerId of givenUp)
      log.error("guard.gave-up", "A container was not ended: its engine did not do it.", { containerId });
    for (const containerId of toEnd) if (!ending.has(containerId)) void end(containerId);
    if (wakeAt !== undefined) cancel = clock.timer(wakeAt - now, look);
    else if (isOrphan && ending.size === 0) onIdle();
  }

  async function end(containerId: string): Promise<void> {
    const was = deadlines.get(containerId);
    ending.add(containerId);
    let hasEnded = false;
    try {
      const ran = await ender.end(containerId);
      hasEnded = true;
      saidOf.delete(containerId);
      if (ran) log.warn("guard.ended", "Ended an exclusive copy: its agent did not renew it in time.", { containerId });
    } catch (error) {
      const sentence = "An exclusive copy could not be ended though its time is over; tried again each second.";
      if (!saidOf.has(containerId)) log.error("guard.failed", sentence, { containerId, error });
      saidOf.add(containerId);
    }
    ending.delete(containerId);
    // One that was renewed meanwhile has another deadline, of which this says nothing.
    if (was !== undefined && deadlines.get(containerId) === was)
      deadlines = new Map(deadlines).set(containerId, { ...was, hasEnded });
    // A failure waits for its next turn; the last end may be what an orphan waited for.
    if (isOrphan && (hasEnded || deadlines.size === 0)) look();
  }

  return {
    take: copies => {
      const now = clock.monotonic();
      deadlines = new Map(copies.map(one => [one.containerId, { endAt: now + one.inMs, hasEnded: false }]));
      look();
    },
    orphan: () => {
      isOrphan = true;
      look();
    },
  };
}
