import type { Draft } from "../world/draft.ts";
import type { Deployment } from "../model/deployment.ts";
import type { Instance } from "../model/instance.ts";
import { isInstanceUp, isPlaced } from "./ending.ts";

/** The wanted instances that share one slot of a deployment. */
export interface Slot {
  readonly slot: number;
  /** Of the release that is wanted, best first. */
  readonly fresh: readonly Instance[];
  /** Of other releases, best first. */
  readonly old: readonly Instance[];
}

/** The slots of a deployment that hold at least one wanted instance, in order. */
export function slotsOf(draft: Draft, deployment: Deployment, instances: readonly Instance[]): readonly Slot[] {
  const bySlot = Map.groupBy(
    instances.filter(instance => instance.desired === "run"),
    instance => instance.slot,
  );
  return [...bySlot.entries()]
    .sort(([a], [b]) => a - b)
    .map(([slot, members]) => {
      const ranked = members.sort(
        (a, b) => quality(draft, b) - quality(draft, a) || b.release - a.release || (a.id < b.id ? -1 : 1),
      );
      return {
        slot,
        fresh: ranked.filter(instance => instance.release === deployment.release),
        old: ranked.filter(instance => instance.release !== deployment.release),
      };
    });
}

/**
 * Splits the slots into those to keep and those too many: those that are nowhere or going are too
 * many first, then the highest.
 */
export function splitSurplus(
  draft: Draft,
  slots: readonly Slot[],
  replicas: number,
): { readonly kept: readonly Slot[]; readonly surplus: readonly Slot[] } {
  if (slots.length <= replicas) return { kept: slots, surplus: [] };
  const isWorth = (slot: Slot): boolean => [...slot.fresh, ...slot.old].some(instance => quality(draft, instance) > 0);
  const ordered = [...slots].sort((a, b) => Number(isWorth(b)) - Number(isWorth(a)) || a.slot - b.slot);
  return {
    kept: ordered.slice(0, replicas).sort((a, b) => a.slot - b.slot),
    surplus: ordered.slice(replicas),
  };
}

/** The lowest slot numbers that are not taken. */
export function freeSlots(taken: readonly number[], count: number): readonly number[] {
  const known = new Set(taken);
  const free: number[] = [];
  for (let slot = 0; free.length < count; slot++) if (!known.has(slot)) free.push(slot);
  return free;
}

/**
 * 2 for an instance that serves or is completed, 1 for one that is placed and meant to, 0 for one
 * that is nowhere or on its way out.
 */
function quality(draft: Draft, instance: Instance): number {
  if (isInstanceUp(draft, instance)) return 2;
  return isPlaced(draft, instance) ? 1 : 0;
}
