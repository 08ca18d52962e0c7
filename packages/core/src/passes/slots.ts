import { locationsOf, type Draft } from "../world/draft.ts";
import type { Deployment } from "../model/deployment.ts";
import type { Instance } from "../model/instance.ts";
import { currentOf, isLive } from "../model/state.ts";
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

/** Which slots a deployment is to fill: so many of any numbers, or those of its nodes. */
export interface WantedSlots {
  readonly count: number;
  readonly of: ReadonlySet<number> | undefined;
  /** Those in which a new release may replace what there is; `undefined` for all. */
  readonly open: ReadonlySet<number> | undefined;
}

/**
 * Splits the slots into those to keep and those too many: those that are going are too many first,
 * then those that are nowhere, then the highest. Where each slot is a node's, those of no wanted
 * node are.
 */
export function splitSurplus(
  draft: Draft,
  slots: readonly Slot[],
  { count, of }: WantedSlots,
): { readonly kept: readonly Slot[]; readonly surplus: readonly Slot[] } {
  if (of !== undefined)
    return { kept: slots.filter(({ slot }) => of.has(slot)), surplus: slots.filter(({ slot }) => !of.has(slot)) };
  if (slots.length <= count) return { kept: slots, surplus: [] };
  const worth = (slot: Slot): number => Math.max(...[...slot.fresh, ...slot.old].map(one => worthOf(draft, one)));
  const ordered = [...slots].sort((a, b) => worth(b) - worth(a) || a.slot - b.slot);
  return {
    kept: ordered.slice(0, count).sort((a, b) => a.slot - b.slot),
    surplus: ordered.slice(count),
  };
}

/** 2 for what is placed and meant to be, 1 for what is nowhere, 0 for what is on its way out. */
function worthOf(draft: Draft, instance: Instance): number {
  if (quality(draft, instance) > 0) return 2;
  const current = currentOf(instance, locationsOf(draft, instance.id));
  return current !== undefined && isLive(current) ? 0 : 1;
}

/** The first slots that are not taken, and are wanted. */
export function freeSlots(taken: readonly number[], count: number, { of }: WantedSlots): readonly number[] {
  const known = new Set(taken);
  if (of !== undefined) return [...of].filter(slot => !known.has(slot)).slice(0, count);
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
