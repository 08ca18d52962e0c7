import { record } from "../world/change.ts";
import { findRelease, locationsOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Location, PortBinding } from "../model/instance.ts";
import { isLive, isServing } from "../model/state.ts";
import { isBound } from "./volumes.ts";

/**
 * Gives up what runs on nodes that are down or gone, so that it can be placed again, and tells a
 * node that came back to end what was given up there. A node that is only silent (`suspect`,
 * `unknown`) keeps what it has. A row that was written back without a host port that its release
 * needs, since its agent saw no container that has one, ends as well: it could never serve.
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
      } else endUnreachable(draft, location);
    }
  }
}

function endUnreachable(draft: Draft, location: Location): void {
  const port = missingPort(draft, location);
  if (port === undefined) return;
  const kind = isServing(location, draft.nodes.get(location.nodeId)) ? "retire" : "stop";
  const because = `its record has no host port for port ${port}, so nothing leads to it`;
  record(draft, { kind, instanceId: location.instanceId, epoch: location.epoch, because });
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

function missingPort(draft: Draft, location: Location): number | undefined {
  const { deploymentId, release, desired, ports } = location;
  if (desired !== "run" || !isLive(location)) return undefined;
  for (const container of findRelease(draft, deploymentId, release)?.spec.containers ?? []) {
    for (const { containerPort, protocol } of container.ports) {
      const leads = (one: PortBinding): boolean =>
        one.container === container.name && one.containerPort === containerPort && one.protocol === protocol;
      if (!ports.some(leads)) return containerPort;
    }
  }
  return undefined;
}
