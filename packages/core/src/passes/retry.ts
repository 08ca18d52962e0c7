import { record } from "../world/change.ts";
import { locationsOf, releaseOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Instance, Location } from "../model/instance.ts";
import { currentOf, isCompleted, isLive } from "../model/state.ts";

const FIRST_DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 300_000;
// A placement that lasted this long was a good one: what failed it is new, so the delay starts
// over.
const GOOD_PLACEMENT_MS = 600_000;

/**
 * Deals with placements that failed: the next one waits, longer each time, and when its time has
 * come the failed one is told to go so that its ports and containers are free. What is over for
 * good is retired: its agent is told to keep it as it is, with its logs, whatever becomes of its
 * containers.
 */
export function retryFailed(draft: Draft): void {
  for (const instance of draft.instances.values()) {
    if (instance.desired !== "run") continue;
    const locations = locationsOf(draft, instance.id);
    for (const { epoch, state, desired } of locations) {
      if (epoch < instance.epoch && (state === "failed" || state === "stopped") && desired !== "stop") {
        record(draft, {
          kind: "stop",
          instanceId: instance.id,
          epoch,
          because: "it ended, and was placed again since",
        });
      }
    }
    const current = currentOf(instance, locations);
    if (current === undefined || current.desired === "stop" || isLive(current)) continue;
    if (isDone(draft, instance, current)) {
      const because = `it is ${current.state}, and nothing of it is to run again`;
      if (current.desired === "run")
        record(draft, { kind: "retire", instanceId: instance.id, epoch: current.epoch, because });
      continue;
    }
    if (!hasEnded(current)) continue;
    const retryAt = Math.max(retryTime(current), instance.retryAt ?? 0);
    if (retryAt <= draft.now) {
      record(draft, {
        kind: "stop",
        instanceId: instance.id,
        epoch: current.epoch,
        because: "it is placed again after it failed",
      });
    } else if (instance.retryAt !== retryAt) {
      const because = `placement ${instance.epoch} failed: ${current.message || "no reason was given"}`;
      record(draft, { kind: "defer", instanceId: instance.id, retryAt, because });
    }
  }
}

/**
 * Whether the instance has run to an end that its restart policy accepts, or must not be tried
 * again: on no other node either, where it has failed as often as it may.
 */
export function isDone(draft: Draft, instance: Instance, current: Location): boolean {
  const { condition, maxAttempts } = releaseOf(draft, instance)?.spec.restart ?? { condition: "any" };
  if (isCompleted(current)) return condition !== "any";
  if (!hasEnded(current) || current.desired === "stop" || neverRan(current)) return false;
  if (condition === "none") return true;
  return condition === "on-failure" && (current.state === "stopped" || maxAttempts !== undefined);
}

/**
 * Whether its containers were made and none of them ever ran, so that what was to run once has not
 * run.
 */
function neverRan({ state, containers }: Location): boolean {
  if (state !== "failed" || containers.length === 0) return false;
  return containers.every(({ running, exitCode }) => !running && exitCode === undefined);
}

/**
 * When a failed placement may be followed by the next: a pure function of how often and how briefly
 * it was placed.
 */
export function retryTime(failed: Location): number {
  const lasted = failed.changedAt - failed.desiredAt;
  const failures = lasted >= GOOD_PLACEMENT_MS ? 1 : failed.epoch;
  return failed.changedAt + Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 10));
}

/**
 * Failed, or ended though it was meant to run. What was found without its record and had ended with
 * 0 counts as completed, whatever its policy says.
 */
function hasEnded({ state }: Location): boolean {
  return state === "failed" || state === "stopped" || state === "completed";
}
