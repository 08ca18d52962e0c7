import { record } from "../world/change.ts";
import { locationsOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import type { Instance, Location } from "../model/instance.ts";
import { isGone, isLive } from "../model/state.ts";
import { unseenUntil } from "./ending.ts";
import { mayRunUntil } from "./single.ts";

/**
 * Drops the records of what is over: locations first, then instances without any, then deleted
 * deployments.
 */
export function forgetFinished(draft: Draft, settings: Settings): void {
  for (const instanceId of draft.locations.keys()) {
    const instance = draft.instances.get(instanceId);
    for (const location of locationsOf(draft, instanceId)) {
      if (isOver(draft, instance, location, settings))
        record(draft, {
          kind: "forget-location",
          instanceId,
          epoch: location.epoch,
          portsFreeAt: draft.now + settings.portQuarantineMs,
        });
    }
  }
  const held = new Set<string>();
  for (const instance of draft.instances.values()) {
    if (
      instance.desired === "stop" &&
      !draft.locations.has(instance.id) &&
      unseenUntil(draft, instance.id) === undefined
    )
      record(draft, { kind: "forget-instance", instanceId: instance.id });
    else held.add(instance.deploymentId);
  }
  for (const deployment of draft.deployments.values()) {
    if (deployment.desired === "deleted" && !held.has(deployment.id))
      record(draft, { kind: "forget-deployment", deploymentId: deployment.id });
  }
}

/**
 * When a location that is over is dropped although its agent never said that nothing of it is left.
 */
export function keptUntil(location: Location, settings: Settings): number | undefined {
  if (isLive(location) || isGone(location)) return undefined;
  return Math.max(location.changedAt, location.desiredAt) + settings.keepStoppedMs;
}

function isOver(draft: Draft, instance: Instance | undefined, location: Location, settings: Settings): boolean {
  if (isLive(location)) return false;
  if (instance === undefined) return true;
  // Its lease may hold it running where nobody can look: until that is over the record keeps others
  // away.
  const until = mayRunUntil(draft, settings, location);
  if (until !== undefined && until < Infinity) return false;
  const wanted = instance.desired === "run" && location.epoch === instance.epoch;
  if (isGone(location)) return !wanted || location.desired === "stop";
  // Nobody can say that it is gone while its node is away, and a stopping instance need not wait
  // for that.
  const node = draft.nodes.get(location.nodeId);
  if (instance.desired === "stop" && (node === undefined || node.liveness === "down")) return true;
  const kept = keptUntil(location, settings);
  if (kept === undefined || kept > draft.now) return false;
  // A failed location that is still the latest one shows people what went wrong until it is placed
  // again.
  return location.state === "lost" || location.desired === "stop";
}
