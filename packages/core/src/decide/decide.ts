import { fillSlots } from "../passes/deployments.ts";
import { evictLost } from "../passes/eviction.ts";
import { forgetFinished } from "../passes/forget.ts";
import { placeWanted, withdrawRefusals } from "../passes/placing.ts";
import { retryFailed } from "../passes/retry.ts";
import { supersedeOlder } from "../passes/supersede.ts";
import { wakeTime } from "../passes/wake-time.ts";
import { recordVolumes } from "../passes/volumes.ts";
import { wantsOf } from "../passes/wants.ts";
import { basisOf } from "../world/basis.ts";
import { volumeKey } from "../model/volume.ts";
import { openDraft } from "../world/draft.ts";
import type { Plan } from "../world/plan.ts";
import type { Settings, World } from "../world/world.ts";

/**
 * What is to change in the world at `now`. Each line is one pass, and each sees what the passes
 * before it changed; only the placing pass takes from nodes, and nothing after it gives back, so
 * that deciding again on the applied plan changes nothing.
 */
export function decide(world: World, settings: Settings, now: number): Plan {
  const ordered = inOrder(world);
  const draft = openDraft(ordered, now);
  recordVolumes(draft);
  evictLost(draft);
  const ending = fillSlots(draft, settings);
  retryFailed(draft);
  forgetFinished(draft, settings);
  const wants = wantsOf(draft, settings, ending);
  placeWanted(draft, settings, wants);
  recordVolumes(draft);
  withdrawRefusals(draft, wants);
  supersedeOlder(draft, settings, ending);
  return { changes: draft.changes, wakeAt: wakeTime(draft, settings), basis: basisOf(ordered, draft.changes) };
}

/** The same world whatever order its records came in. */
function inOrder(world: World): World {
  return {
    ...world,
    deployments: sorted(world.deployments, byId),
    instances: sorted(world.instances, byId),
    locations: sorted(world.locations, byInstance),
    volumes: sorted(world.volumes, byVolume),
  };
}

/** Most worlds come in order already, and then nothing is copied. */
function sorted<T>(items: readonly T[], compare: (a: T, b: T) => number): readonly T[] {
  const isSorted = items.every((item, index) => index === 0 || compare(items[index - 1]!, item) < 0);
  return isSorted ? items : items.toSorted(compare);
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

function byVolume(a: World["volumes"][number], b: World["volumes"][number]): number {
  const [one, other] = [volumeKey(a), volumeKey(b)];
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function byInstance(a: World["locations"][number], b: World["locations"][number]): number {
  if (a.instanceId !== b.instanceId) return a.instanceId < b.instanceId ? -1 : 1;
  return a.epoch - b.epoch;
}
