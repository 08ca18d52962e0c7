import type { InstanceId } from "@skep/core/model/instance.ts";
import { isLeased } from "@skep/core/model/volume.ts";
import { leaseWait } from "@skep/core/model/lease.ts";
import type { Settings, World } from "@skep/core/world/world.ts";

/** How long an instance whose row has vanished waits for an agent to say that it has it. */
export const MISSING_ROW_GRACE_MS = 10_000;

/**
 * An instance that was placed but has no row at its epoch has lost it (somebody deleted it by
 * hand), or it was lost with its node long ago. Its agent may still run it: it is neither placed
 * anew nor replaced before the agents have been asked. Where its agent cannot be asked, a copy with
 * a lease runs on until that is over, as one on a lost node does: nobody renews it without a row.
 */
export interface MissingRows {
  /**
   * The world for deciding: it says which rows are waited for. `isWaiting` tells that something
   * does.
   */
  withhold(world: World, now: number): { readonly world: World; readonly isWaiting: boolean };
}

/** Remembers since when each row is missing. */
export function createMissingRows(settings: Pick<Settings, "exclusiveLeaseMs">): MissingRows {
  const since = new Map<InstanceId, number>();
  const leasedGraceMs = Math.max(MISSING_ROW_GRACE_MS, leaseWait(settings.exclusiveLeaseMs));
  return {
    withhold: (world, now) => {
      // This runs before each decision, so it makes no text of each row.
      const ids = new Set<InstanceId>();
      const epochs = new Map<InstanceId, number>();
      for (const one of world.instances) {
        if (one.epoch === 0) continue;
        ids.add(one.id);
        epochs.set(one.id, one.epoch);
      }
      for (const { instanceId, epoch } of world.locations) if (epochs.get(instanceId) === epoch) ids.delete(instanceId);
      for (const id of since.keys()) if (!ids.has(id)) since.delete(id);
      for (const id of ids) if (!since.has(id)) since.set(id, now);
      if (ids.size === 0) return { world, isWaiting: false };
      const leased = leasedAmong(world, ids);
      const unseen = new Map<InstanceId, number>();
      for (const [id, first] of since) {
        const until = first + (leased.has(id) ? leasedGraceMs : MISSING_ROW_GRACE_MS);
        if (until > now) unseen.set(id, until);
      }
      return unseen.size === 0 ? { world, isWaiting: false } : { world: { ...world, unseen }, isWaiting: true };
    },
  };
}

function leasedAmong({ instances, releases }: World, ids: ReadonlySet<InstanceId>): ReadonlySet<InstanceId> {
  const leased = instances.filter(one => {
    if (!ids.has(one.id)) return false;
    const release = releases.find(
      ({ deploymentId, number }) => deploymentId === one.deploymentId && number === one.release,
    );
    return release !== undefined && isLeased(release.spec);
  });
  return new Set(leased.map(one => one.id));
}
