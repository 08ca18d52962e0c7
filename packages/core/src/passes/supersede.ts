import { record } from "../world/change.ts";
import { locationsOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import type { Instance, InstanceId, Location } from "../model/instance.ts";
import { currentOf, isGone, isLive, isServing } from "../model/state.ts";
import { isSettling } from "./ending.ts";

/**
 * Ends older locations of instances that were placed again, make before break. One that serves runs
 * on until the newest serves, then leaves the routes, and stops when every edge has noticed. One
 * that does not serve may do so again (its agent restarts, one probe failed): it runs on until the
 * newest serves or the grace of a move ends.
 */
export function supersedeOlder(draft: Draft, settings: Settings, ending: ReadonlySet<InstanceId>): void {
  for (const instance of draft.instances.values()) {
    const locations = locationsOf(draft, instance.id);
    if (instance.desired !== "run") {
      stopRestored(draft, locations);
      continue;
    }
    if (locations.length === 0) continue;
    const current = currentOf(instance, locations);
    const isServed = current !== undefined && isServing(current, draft.nodes.get(current.nodeId));
    for (const location of locations)
      if (location.epoch < instance.epoch) supersede(draft, settings, instance, location, isServed);
    if (current !== undefined && !ending.has(instance.id)) stopRetired(draft, settings, current);
  }
}

/**
 * A row that was written back after its instance was ended is to run: it ends as well. So does one
 * that was over then: while something is left of it, its agent is told of it and would run it.
 */
function stopRestored(draft: Draft, locations: readonly Location[]): void {
  for (const { instanceId, epoch, desired } of locations.filter(one => !isGone(one)))
    if (desired !== "stop") record(draft, { kind: "stop", instanceId, epoch, because: "its instance is to end" });
}

/**
 * A latest location that was retired before its instance was wanted again: its successor may be
 * waiting for the very port it holds, so it stops like any other.
 */
function stopRetired(draft: Draft, settings: Settings, current: Location): void {
  if (!isLive(current) || current.desired !== "retire" || isSettling(current, settings, draft.now)) return;
  record(draft, {
    kind: "stop",
    instanceId: current.instanceId,
    epoch: current.epoch,
    because: "it had left the routes already",
  });
}

function supersede(draft: Draft, settings: Settings, instance: Instance, location: Location, isServed: boolean): void {
  const of = { instanceId: instance.id, epoch: location.epoch };
  if (!isLive(location) || location.desired === "stop") return;
  const serves = isServing(location, draft.nodes.get(location.nodeId));
  if (location.desired === "run" && !isServed) {
    if (serves || graceEnd(draft, settings, instance, location) > draft.now) return;
    const within = `${settings.moveGraceMs / 1000} s`;
    const because = `it is not well, and placement ${instance.epoch} did not serve within ${within} either`;
    record(draft, { kind: "stop", ...of, because });
    return;
  }
  const because = `placement ${instance.epoch} serves in its place`;
  if (serves) record(draft, { kind: "retire", ...of, because });
  const after = locationsOf(draft, instance.id).find(one => one.epoch === location.epoch)!;
  if (isSettling(after, settings, draft.now)) return;
  record(draft, { kind: "stop", ...of, because: `placement ${instance.epoch} took its place` });
}

/**
 * When an older location that does not serve is given up, though the newest does not serve either.
 */
export function graceEnd(draft: Draft, settings: Settings, instance: Instance, location: Location): number {
  const current = currentOf(instance, locationsOf(draft, instance.id));
  return Math.max(current?.desiredAt ?? 0, location.changedAt) + settings.moveGraceMs;
}
