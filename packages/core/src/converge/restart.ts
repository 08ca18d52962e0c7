import type { AssignedInstance } from "../model/assignment.ts";
import { BOUNDS } from "../model/bounds.ts";
import { LEAST_SOUND_MS, type RestartPolicy } from "../model/deployment.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { ContainerMemory } from "./memory.ts";
import { isJob } from "../model/mode.ts";
import { recall, remember } from "./round.ts";
import type { Round } from "./round.ts";

/** What the restart policy says about a container that ended. */
export type Verdict = "restart" | "finished" | "failed";

/** The longest wait before a start under this policy. */
export function longestDelay(policy: RestartPolicy): number {
  return Math.max(policy.maxDelayMs, BOUNDS.restartMaxDelayMs.least);
}

/**
 * The wait before the next start after so many ends in a row. Whatever a spec says, it begins and
 * grows: what crashes at once must not keep the node busy with starting it.
 */
export function restartDelay(policy: RestartPolicy, failures: number): number {
  const first = Math.max(policy.delayMs, BOUNDS.restartDelayMs.least);
  return Math.min(longestDelay(policy), first * 2 ** Math.min(failures - 1, 30));
}

/** Whether a run was long enough to forget the ends before it, as far as the wait is concerned. */
function isSound(policy: RestartPolicy, lastedMs: number): boolean {
  return lastedMs >= Math.max(policy.windowMs, LEAST_SOUND_MS);
}

/**
 * Notes a running container: which one it is, and whether it was started again since it was last
 * seen.
 */
export function noteRunning(round: Round, instance: AssignedInstance, container: ObservedContainer): ContainerMemory {
  const before = recall(round, instance, container.name);
  const again = before.startedAt !== undefined && before.startedAt !== container.startedAt;
  const sound = container.startedAt !== undefined && isSound(instance.spec.restart, round.now - container.startedAt);
  return remember(round, instance, container.name, {
    id: container.id,
    startedAt: container.startedAt ?? before.startedAt,
    restarts: before.restarts + (again ? 1 : 0),
    ...(sound ? { failures: 0, ends: [], reason: "" } : {}),
    replacing: false,
  });
}

/**
 * Remembers an end that had come before this life of the agent saw the container. An engine that is
 * shut down ends everything, and most programs answer its signal with 0.
 */
export function noteFirstSight(round: Round, instance: AssignedInstance, container: ObservedContainer): void {
  if (recall(round, instance, container.name).id === container.id) return;
  remember(round, instance, container.name, { id: container.id, unseenEnd: endOf(container) });
}

function endOf({ id, startedAt, finishedAt }: ObservedContainer): string {
  return `${id}/${startedAt ?? 0}/${finishedAt ?? 0}`;
}

/** Counts the end of a container, once, and says what follows from it. */
export function noteEnd(round: Round, instance: AssignedInstance, container: ObservedContainer): Verdict {
  const policy = instance.spec.restart;
  let memory = recall(round, instance, container.name);
  const end = endOf(container);
  if (memory.countedEnd !== end) {
    const at = Math.min(container.finishedAt ?? round.now, round.now);
    const lasted = container.startedAt === undefined ? 0 : at - container.startedAt;
    memory = countEnd(
      round,
      instance,
      container.name,
      at,
      lasted,
      memory.unwell ? memory.reason : endReason(container),
      {
        id: container.id,
        startedAt: container.startedAt,
        countedEnd: end,
      },
    );
  }
  const badly = memory.unwell || container.exitCode !== 0 || container.oomKilled;
  // What is to run once has run, whoever ended it; anything else would stay away for good.
  const isOnce = policy.condition === "none" || isJob(instance.spec);
  if (!badly && policy.condition !== "any" && (isOnce || memory.unseenEnd !== end)) return "finished";
  if (policy.condition === "none") return "failed";
  return isGivenUp(policy, memory) ? giveUp(round, instance, container.name) : "restart";
}

/**
 * Counts a container that is gone although nobody told us to remove it. The first time it is made
 * again at once, since somebody removed it by hand; from then on with the policy's delay.
 */
export function noteVanished(round: Round, instance: AssignedInstance, name: string): Verdict {
  const memory = recall(round, instance, name);
  if (memory.replacing || memory.id === undefined) {
    remember(round, instance, name, { id: undefined, replacing: false });
    return memory.failed ? "failed" : "restart";
  }
  const lasted = memory.startedAt === undefined ? 0 : round.now - memory.startedAt;
  const counted = countEnd(round, instance, name, round.now, lasted, "its container was removed from the engine", {
    id: undefined,
  });
  if (counted.failures === 1) remember(round, instance, name, { nextStartAt: round.now });
  return isGivenUp(instance.spec.restart, counted) ? giveUp(round, instance, name) : "restart";
}

function countEnd(
  round: Round,
  instance: AssignedInstance,
  name: string,
  at: number,
  lasted: number,
  reason: string,
  more: Partial<ContainerMemory>,
): ContainerMemory {
  const policy = instance.spec.restart;
  const before = recall(round, instance, name);
  const failures = isSound(policy, lasted) ? 1 : before.failures + 1;
  const ends = [...before.ends.filter(end => end > at - policy.windowMs), at];
  return remember(round, instance, name, {
    failures,
    ends,
    nextStartAt: at + restartDelay(policy, failures),
    reason,
    ...more,
  });
}

function isGivenUp(policy: RestartPolicy, memory: ContainerMemory): boolean {
  return memory.failed || (policy.maxAttempts !== undefined && memory.ends.length > policy.maxAttempts);
}

function giveUp(round: Round, instance: AssignedInstance, name: string): Verdict {
  remember(round, instance, name, { failed: true });
  return "failed";
}

function endReason(container: ObservedContainer): string {
  if (container.oomKilled) return "it was killed because it used more memory than its limit";
  return container.exitCode === undefined ? "it ended" : `it ended with exit code ${container.exitCode}`;
}
