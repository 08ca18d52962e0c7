import type { World } from "@skep/core/world/world.ts";
import type { InstanceId } from "@skep/core/model/instance.ts";

/** How long an instance whose row has vanished waits for an agent to say that it has it. */
export const MISSING_ROW_GRACE_MS = 10_000;

/**
 * An instance that was placed but has no row at its epoch has lost it (somebody deleted it by hand), or it was lost
 * with its node long ago. Its agent may still run it: it is not placed anew before the agents have been asked.
 */
export interface MissingRows {
  /** The world for deciding: what waits for its row has a `retryAt`. `isWaiting` tells that something does. */
  withhold(world: World, now: number): { readonly world: World; readonly isWaiting: boolean };
}

/** Remembers since when each row is missing. */
export function createMissingRows(): MissingRows {
  const since = new Map<InstanceId, number>();
  return {
    withhold: (world, now) => {
      // This runs before each decision, so it makes no text of each row.
      const ids = new Set<InstanceId>();
      const epochs = new Map<InstanceId, number>();
      for (const one of world.instances) {
        if (one.desired !== "run" || one.epoch === 0) continue;
        ids.add(one.id);
        epochs.set(one.id, one.epoch);
      }
      for (const { instanceId, epoch } of world.locations) if (epochs.get(instanceId) === epoch) ids.delete(instanceId);
      for (const id of since.keys()) if (!ids.has(id)) since.delete(id);
      for (const id of ids) if (!since.has(id)) since.set(id, now);
      if (ids.size === 0) return { world, isWaiting: false };
      let isWaiting = false;
      const instances = world.instances.map(one => {
        const until = (since.get(one.id) ?? now) + MISSING_ROW_GRACE_MS;
        if (!since.has(one.id) || until <= now) return one;
        isWaiting = true;
        return { ...one, retryAt: Math.max(one.retryAt ?? 0, until) };
      });
      return isWaiting ? { world: { ...world, instances }, isWaiting } : { world, isWaiting };
    },
  };
}
