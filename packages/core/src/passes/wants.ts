import { locationsOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import type { Instance, InstanceId, Location } from "../model/instance.ts";
import type { Node, NodeId } from "../model/node.ts";
import { currentOf, isLive, isShortOfRunning } from "../model/state.ts";

/**
 * Why an instance wants a node. `new`: it is nowhere. `move`: its node gives its work away, and it runs on until
 * the new one serves. `elsewhere`: it did not get running in time, and is tried on another node if one fits.
 */
export type Want = { readonly instance: Instance } & (
  | { readonly kind: "new" }
  | { readonly kind: "move"; readonly from: Node }
  | { readonly kind: "elsewhere"; readonly exclude: NodeId }
);

/** The instances that want a node now. Those in `ending` are on their way out and want none. */
export function wantsOf(draft: Draft, settings: Settings, ending: ReadonlySet<InstanceId>): readonly Want[] {
  const wants: Want[] = [];
  for (const instance of draft.instances.values()) {
    if (instance.desired !== "run" || ending.has(instance.id)) continue;
    const want = wantOf(draft, settings, instance);
    if (want !== undefined) wants.push(want);
  }
  return wants;
}

/** When a location that is short of running is given up on its node, though the node is fine. */
export function startDeadline(location: Location, settings: Settings): number | undefined {
  if (location.desired !== "run" || !isShortOfRunning(location)) return undefined;
  return Math.max(location.desiredAt, location.changedAt) + settings.startDeadlineMs;
}

function wantOf(draft: Draft, settings: Settings, instance: Instance): Want | undefined {
  const current = currentOf(instance, locationsOf(draft, instance.id));
  const isDeferred = instance.retryAt !== undefined && instance.retryAt > draft.now;
  if (current === undefined) return isDeferred ? undefined : { kind: "new", instance };
  if (!isLive(current)) {
    // A failed one is followed by the next when it was told to go; a lost one at once.
    const due = current.state === "lost" || current.desired === "stop";
    return due && !isDeferred ? { kind: "new", instance } : undefined;
  }
  if (current.desired !== "run") return { kind: "new", instance };
  const node = draft.nodes.get(current.nodeId);
  if (node?.availability === "drain") return { kind: "move", instance, from: node };
  const deadline = startDeadline(current, settings);
  if (deadline !== undefined && deadline <= draft.now) return { kind: "elsewhere", instance, exclude: current.nodeId };
  return undefined;
}
