import { record } from "../world/change.ts";
import { locationsOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import type { Instance, InstanceId, Location } from "../model/instance.ts";
import { currentOf, isCompleted, isLive, isServing } from "../model/state.ts";
import { isDone } from "./retry.ts";

/** Whether one of the instance's locations takes requests. */
export function isInstanceServing(draft: Draft, instance: Instance): boolean {
  return locationsOf(draft, instance.id).some(location => isServing(location, draft.nodes.get(location.nodeId)));
}

/**
 * Whether the instance serves, or has done what it had to do and is not to run again: nothing is to
 * take its place.
 */
export function isInstanceUp(draft: Draft, instance: Instance): boolean {
  const current = currentOf(instance, locationsOf(draft, instance.id));
  return (
    isInstanceServing(draft, instance) ||
    (current !== undefined && isCompleted(current) && isDone(draft, instance, current))
  );
}

/** Until when the instance's agents are asked for a row that has vanished. */
export function unseenUntil(draft: Draft, instanceId: InstanceId): number | undefined {
  const until = draft.unseen.get(instanceId);
  return until !== undefined && until > draft.now ? until : undefined;
}

/** Whether anything of the instance may still run somewhere. */
export function hasLiveLocation(draft: Draft, instance: Instance): boolean {
  return unseenUntil(draft, instance.id) !== undefined || locationsOf(draft, instance.id).some(isLive);
}

/** Whether the latest location of the instance is live and meant to serve. */
export function isPlaced(draft: Draft, instance: Instance): boolean {
  const current = currentOf(instance, locationsOf(draft, instance.id));
  return current !== undefined && isLive(current) && current.desired === "run";
}

/**
 * Whether the instance is on its way out: it left the routes, and nothing of it serves or is meant
 * to.
 */
export function isRetiring(draft: Draft, instance: Instance): boolean {
  if (isPlaced(draft, instance) || isInstanceServing(draft, instance)) return false;
  return locationsOf(draft, instance.id).some(location => isLive(location) && location.desired === "retire");
}

/**
 * Ends an instance without failing a request: what serves is taken out of the routes first, and
 * stops once every edge has had time to notice. What does not serve stops at once.
 */
export function endGently(draft: Draft, settings: Settings, instance: Instance, because: string): void {
  // A row that has vanished may come back as one that serves: then it leaves the routes first.
  if (unseenUntil(draft, instance.id) !== undefined) return;
  const of = (location: Location): { instanceId: InstanceId; epoch: number; because: string } => ({
    instanceId: instance.id,
    epoch: location.epoch,
    because,
  });
  const serving = locationsOf(draft, instance.id).filter(one => isServing(one, draft.nodes.get(one.nodeId)));
  for (const location of serving) record(draft, { kind: "retire", ...of(location) });
  const live = locationsOf(draft, instance.id).filter(isLive);
  if (!live.some(location => isSettling(location, settings, draft.now))) {
    endNow(draft, instance, because);
    return;
  }
  for (const location of live) if (location.desired === "run") record(draft, { kind: "stop", ...of(location) });
}

/** Ends an instance at once. */
export function endNow(draft: Draft, instance: Instance, because: string): void {
  if (instance.desired !== "stop") record(draft, { kind: "stop-instance", instanceId: instance.id, because });
}

/** Whether an edge may still send requests to this retired location. */
export function isSettling(location: Location, settings: Settings, now: number): boolean {
  return location.desired === "retire" && location.desiredAt + settings.edgeSettleMs > now;
}
