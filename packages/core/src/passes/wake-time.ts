import type { Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import { isLive } from "../model/state.ts";
import { keptUntil } from "./forget.ts";
import { mayRunUntil } from "./single.ts";
import { graceEnd } from "./supersede.ts";
import { startDeadline } from "./wants.ts";

/**
 * The next time at which something is due by the passing of time alone; `undefined` when nothing
 * is.
 */
export function wakeTime(draft: Draft, settings: Settings): number | undefined {
  let wakeAt = Infinity;
  const consider = (at: number | undefined): void => {
    if (at !== undefined && at > draft.now && at < wakeAt) wakeAt = at;
  };
  for (const instance of draft.instances.values()) if (instance.desired === "run") consider(instance.retryAt);
  for (const until of draft.unseen.values()) consider(until);
  for (const locations of draft.locations.values()) {
    for (const location of locations) {
      if (isLive(location) && location.desired === "retire") consider(location.desiredAt + settings.edgeSettleMs);
      consider(startDeadline(location, settings));
      consider(keptUntil(location, settings));
      if (!isLive(location)) consider(mayRunUntil(draft, settings, location));
      const instance = draft.instances.get(location.instanceId);
      if (instance !== undefined && location.epoch < instance.epoch && location.desired === "run" && isLive(location))
        consider(graceEnd(draft, settings, instance, location));
    }
  }
  return wakeAt === Infinity ? undefined : wakeAt;
}
