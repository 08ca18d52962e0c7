import { record } from "../world/change.ts";
import { locationsOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Location } from "../model/instance.ts";
import { isLive } from "../model/state.ts";
import { isBound } from "./volumes.ts";

/**
 * Gives up what runs on nodes that are down or gone, so that it can be placed again, and tells a
 * node that came back to end what was given up there. A node that is only silent (`suspect`,
 * `unknown`) keeps what it has.
 */
export function evictLost(draft: Draft): void {
  for (const instanceId of draft.locations.keys()) {
    for (const location of locationsOf(draft, instanceId)) {
      const because = lossOf(draft, location);
      if (because !== undefined) record(draft, { kind: "lose", instanceId, epoch: location.epoch, because });
      else if (isBack(draft, location)) {
        record(draft, {
          kind: "stop",
          instanceId,
          epoch: location.epoch,
          because: "its node came back after it was given up",
        });
      }
    }
  }
}

function lossOf(draft: Draft, location: Location): string | undefined {
  if (!isLive(location)) return undefined;
  const node = draft.nodes.get(location.nodeId);
  if (node !== undefined && node.liveness !== "down") return undefined;
  if (waitsForNode(draft, location)) return undefined;
  if (node === undefined) return `its node ${location.nodeId} has left the Swarm`;
  return `its node ${node.hostname} is down`;
}

/** Its data is there and nowhere else, and somebody may want it again. */
function waitsForNode(draft: Draft, location: Location): boolean {
  const instance = draft.instances.get(location.instanceId);
  const wanted = draft.deployments.get(location.deploymentId)?.desired ?? "deleted";
  return instance !== undefined && wanted !== "deleted" && isBound(draft, instance, location.nodeId);
}

function isBack(draft: Draft, location: Location): boolean {
  return (
    location.state === "lost" && location.desired !== "stop" && draft.nodes.get(location.nodeId)?.liveness === "ready"
  );
}
