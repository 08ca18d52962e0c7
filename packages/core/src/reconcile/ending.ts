import { locationsOf, record } from "../decide/draft.ts";
import type { Draft } from "../decide/draft.ts";
import type { Settings } from "../decide/world.ts";
import type { Instance, Location } from "../model/instance.ts";
import { isLive, isServing } from "../model/state.ts";

/** Whether one of the instance's locations takes requests. */
export function isInstanceServing(draft: Draft, instance: Instance): boolean {
  return locationsOf(draft, instance.id).some(location => isServing(location, draft.nodes.get(location.nodeId)));
}

/** Whether anything of the instance may still run somewhere. */
export function hasLiveLocation(draft: Draft, instance: Instance): boolean {
  return locationsOf(draft, instance.id).some(isLive);
}

/** Whether the instance is on its way out: it left the routes and nothing of it is meant to serve any more. */
export function isRetiring(draft: Draft, instance: Instance): boolean {
  const locations = locationsOf(draft, instance.id).filter(isLive);
  return (
    locations.some(location => location.desired === "retire") && locations.every(location => location.desired !== "run")
  );
}

/**
 * Ends an instance without failing a request: what serves is taken out of the routes first, and stops once every
 * edge has had time to notice. What does not serve stops at once.
 */
export function endGently(draft: Draft, settings: Settings, instance: Instance, because: string): void {
  for (const location of locationsOf(draft, instance.id)) {
    if (isServing(location, draft.nodes.get(location.nodeId))) {
      record(draft, { kind: "retire", instanceId: instance.id, epoch: location.epoch, because });
    }
  }
  const settling = locationsOf(draft, instance.id).some(
    location => isLive(location) && isSettling(location, settings, draft.now),
  );
  if (!settling) endNow(draft, instance, because);
}

/** Ends an instance at once. */
export function endNow(draft: Draft, instance: Instance, because: string): void {
  if (instance.desired !== "stop") record(draft, { kind: "stop-instance", instanceId: instance.id, because });
}

/** Whether an edge may still send requests to this retired location. */
export function isSettling(location: Location, settings: Settings, now: number): boolean {
  return location.desired === "retire" && location.desiredAt + settings.edgeSettleMs > now;
}
