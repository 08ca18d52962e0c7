import { releaseOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import type { Instance, InstanceId, Location } from "../model/instance.ts";
import type { NodeId } from "../model/node.ts";
import { leaseWait } from "../model/lease.ts";
import { isLive } from "../model/state.ts";
import { isLeased } from "../model/volume.ts";
import { unseenUntil } from "./ending.ts";

/**
 * Until when a copy that nobody can ask about may still run; `undefined` where it is known to have
 * ended. No lease is renewed of what is recorded as lost, failed or stopped, and a copy without a
 * lease gets no grace of its own, so the wait is the same however long its spec lets it stop.
 */
export function mayRunUntil(draft: Draft, settings: Settings, location: Location): number | undefined {
  if (isLive(location)) return Infinity;
  const hasRemains = location.state === "lost" || location.containers.some(container => container.running);
  if (!hasRemains) return undefined;
  const isAway = (draft.nodes.get(location.nodeId)?.liveness ?? "down") === "down";
  if (location.state !== "lost" && !isAway) return Infinity;
  const instance = draft.instances.get(location.instanceId);
  const spec = instance === undefined ? undefined : releaseOf(draft, instance)?.spec;
  if (spec === undefined || !isLeased(spec)) return undefined;
  const until = location.changedAt + leaseWait(settings.exclusiveLeaseMs);
  return until > draft.now ? until : undefined;
}

/** What may run; where is unknown while its row is missing. */
interface Copy {
  readonly instanceId: InstanceId;
  readonly epoch: number;
  readonly nodeId: NodeId | undefined;
}

/** A copy of the instance's deployment that may still run; `undefined` where none does. */
export function someCopy(
  draft: Draft,
  settings: Settings,
  instances: readonly Instance[],
): { readonly copy: Copy; readonly until: number } | undefined {
  for (const { id, epoch } of instances) {
    const unseen = unseenUntil(draft, id);
    if (unseen !== undefined) return { copy: { instanceId: id, epoch, nodeId: undefined }, until: unseen };
    for (const location of draft.locations.get(id) ?? []) {
      const until = mayRunUntil(draft, settings, location);
      if (until !== undefined) return { copy: location, until };
    }
  }
  return undefined;
}
