import type { Instance, InstanceState, Location } from "./instance.ts";
import type { Node } from "./node.ts";

/**
 * Where a state may go next. Anything further along the chain may be reported at once: reports can
 * skip states.
 */
const NEXT: Readonly<Record<InstanceState, readonly InstanceState[]>> = {
  pending: ["assigned", "preparing", "starting", "running", "stopping", "stopped", "completed", "failed", "lost"],
  assigned: ["preparing", "starting", "running", "stopping", "stopped", "completed", "failed", "lost"],
  preparing: ["starting", "running", "stopping", "stopped", "completed", "failed", "lost"],
  // A container that vanished before it ran is prepared again, image and all.
  starting: ["preparing", "running", "stopping", "stopped", "completed", "failed", "lost"],
  // A container that ended is started again within the same epoch.
  running: ["preparing", "starting", "stopping", "stopped", "completed", "failed", "lost"],
  stopping: ["stopped", "completed", "failed", "lost"],
  stopped: [],
  // What is over has given its ports and its room back, and somebody else may have them: it never
  // counts as live again, though its remains are still being removed.
  failed: ["stopped", "lost"],
  lost: ["stopped"],
  // It stays so for as long as its record is kept, and then it is removed.
  completed: ["stopped"],
};

/** Every state that there is. */
export const INSTANCE_STATES = Object.keys(NEXT) as readonly InstanceState[];

/** Whether a location in state `from` may be recorded as `to`; staying is always allowed. */
export function canBecome(from: InstanceState, to: InstanceState): boolean {
  return from === to || NEXT[from].includes(to);
}

/**
 * Whether nothing more is going to happen in this state by itself: stopped, completed, failed or
 * lost.
 */
export function isFinal(state: InstanceState): boolean {
  return state === "stopped" || state === "completed" || state === "failed" || state === "lost";
}

/** Whether the instance has done what it had to do: nothing of it is placed or run again. */
export function isCompleted(location: Pick<Location, "state" | "desired">): boolean {
  return location.state === "completed" && location.desired !== "stop";
}

/** Whether the location occupies its node: everything that is not in a final state. */
export function isLive(location: Location): boolean {
  return !isFinal(location.state);
}

/**
 * Whether the agent has said that nothing of the location is left: stopped, and without a
 * container.
 */
export function isGone(location: Location): boolean {
  return location.state === "stopped" && location.containers.length === 0;
}

/** Whether the location is on its way to running but not there yet. */
export function isShortOfRunning(location: Location): boolean {
  return (
    location.state === "pending" ||
    location.state === "assigned" ||
    location.state === "preparing" ||
    location.state === "starting"
  );
}

/** Whether the location is running and as well as its probes can tell. */
export function isWell(location: Pick<Location, "state" | "health">): boolean {
  return location.state === "running" && (location.health === "none" || location.health === "healthy");
}

/**
 * Whether requests may be sent to the location: meant to run, well, and on a node that is not down.
 */
export function isServing(
  location: Pick<Location, "desired" | "state" | "health">,
  node: Pick<Node, "liveness"> | undefined,
): boolean {
  return location.desired === "run" && isWell(location) && node !== undefined && node.liveness !== "down";
}

/** The location of the instance's latest placement, when it is recorded. */
export function currentOf(instance: Instance, locations: readonly Location[]): Location | undefined {
  return locations.find(location => location.epoch === instance.epoch);
}
