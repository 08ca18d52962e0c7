import type { World } from "@skep/core/world/world.ts";
import type { InstanceId } from "@skep/core/model/instance.ts";

/** How long an instance whose row has vanished waits for an agent to say that it has it. */
export const MISSING_ROW_GRACE_MS = 10_000;

/**
 * An instance that was placed but has no row at its epoch has lost it (somebody deleted it by
 * hand), or it was lost with its node long ago. Its agent may still run it: it is neither placed
 * anew nor replaced before the agents have been asked.
 */
export interface MissingRows {
  /**
   * The world for deciding: it says which rows are waited for. `isWaiting` tells that something
   * does.
   */
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
        if (one.epoch === 0) continue;
        ids.add(one.id);
        epochs.set(one.id, one.epoch);
      }
      for (const { instanceId, epoch } of world.locations) if (epochs.get(instanceId) === epoch) ids.delete(instanceId);
      for (const id of since.keys()) if (!ids.has(id)) since.delete(id);
      for (const id of ids) if (!since.has(id)) since.set(id, now);
      if (ids.size === 0) return { world, isWaiting: false };
      const unseen = new Map<InstanceId, number>();
      for (const [id, first] of since)
        if (first + MISSING_ROW_GRACE_MS > now) unseen.set(id, first + MISSING_ROW_GRACE_MS);
      return unseen.size === 0 ? { world, isWaiting: false } : { world: { ...world, unseen }, isWaiting: true };
    },
  };
}
