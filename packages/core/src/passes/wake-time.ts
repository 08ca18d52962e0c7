import type { Draft } from "../world/draft.ts";
import type { DeploymentId } from "../model/deployment.ts";
import type { Settings } from "../world/world.ts";
import { isLive } from "../model/state.ts";
import { keptUntil } from "./forget.ts";
import { mayRunUntil } from "./single.ts";
import { graceEnd } from "./supersede.ts";
import { startDeadline } from "./wants.ts";

/**
 * The next time at which something is due by the passing of time alone, for each deployment where
 * something is.
 */
export function wakeTimes(draft: Draft, settings: Settings): Map<DeploymentId, number> {
  const due = new Map<DeploymentId, number>();
  const consider = (id: DeploymentId, at: number | undefined): void => {
    if (at !== undefined && at > draft.now && at < (due.get(id) ?? Infinity)) due.set(id, at);
  };
  for (const { desired, deploymentId, retryAt } of draft.instances.values())
    if (desired === "run") consider(deploymentId, retryAt);
  for (const locations of draft.locations.values()) {
    for (const location of locations) {
      const id = location.deploymentId;
      if (isLive(location) && location.desired === "retire") consider(id, location.desiredAt + settings.edgeSettleMs);
      consider(id, startDeadline(location, settings));
      consider(id, keptUntil(location, settings));
      if (!isLive(location)) consider(id, mayRunUntil(draft, settings, location));
      const instance = draft.instances.get(location.instanceId);
      if (instance !== undefined && location.epoch < instance.epoch && location.desired === "run" && isLive(location))
        consider(id, graceEnd(draft, settings, instance, location));
    }
  }
  return due;
}
