import { record } from "../world/change.ts";
import type { Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import { fleetOfDraft, needsOfDraft } from "../placement/fleet-of-world.ts";
import { placeBatch } from "../placement/place.ts";
import type { PlacementRequest } from "../placement/place.ts";
import { isSameRefusal } from "../placement/refusal.ts";
import type { InstanceId, Refusal } from "../model/instance.ts";
import { isPlaced } from "./ending.ts";
import type { Want } from "./wants.ts";

/** Places what wants a node, and records why the rest could not be placed where that is news. */
export function placeWanted(draft: Draft, settings: Settings, wants: readonly Want[]): void {
  if (wants.length === 0) return;
  const needs = needsOfDraft(draft, settings.memoryOvercommit);
  const byId = new Map<InstanceId, Want>();
  const requests: PlacementRequest[] = [];
  for (const want of wants) {
    const { instance } = want;
    byId.set(instance.id, want);
    const need = needs(instance.deploymentId, instance.release);
    if (need === undefined)
      refuse(draft, want, { removed: [], advice: `release ${instance.release} is not recorded: deploy it again` });
    else {
      const exclude = want.kind === "elsewhere" ? want.exclude : undefined;
      requests.push({ instanceId: instance.id, need, slot: instance.slot, exclude });
    }
  }
  const { placed, refused } = placeBatch(fleetOfDraft(draft, needs), requests);
  for (const one of placed) {
    const want = byId.get(one.instanceId)!;
    const because = `${reasonOf(want)}${one.because}`;
    record(draft, { kind: "place", ...one, epoch: want.instance.epoch + 1, because });
  }
  for (const { instanceId, refusal } of refused) refuse(draft, byId.get(instanceId)!, refusal);
}

/** Takes back what was said of instances that were to leave their node and may stay, since it is not drained any more. */
export function withdrawRefusals(draft: Draft, wants: readonly Want[]): void {
  const wanting = new Set(wants.map(want => want.instance.id));
  for (const instance of draft.instances.values()) {
    if (instance.refusal === undefined || wanting.has(instance.id) || !isPlaced(draft, instance)) continue;
    record(draft, { kind: "refuse", instanceId: instance.id, refusal: undefined });
  }
}

function refuse(draft: Draft, want: Want, refusal: Refusal): void {
  // It has a node and may still get running there: that no other node fits is not a refusal.
  if (want.kind === "elsewhere") return;
  const full =
    want.kind === "move"
      ? { ...refusal, advice: `it stays on ${want.from.hostname}, which is drained: ${refusal.advice}` }
      : refusal;
  if (isSameRefusal(want.instance.refusal, full)) return;
  record(draft, { kind: "refuse", instanceId: want.instance.id, refusal: full });
}

function reasonOf(want: Want): string {
  if (want.kind === "move") return `moved off ${want.from.hostname}, which is drained: `;
  if (want.kind === "elsewhere") return "it did not get running in time on its node: ";
  return "";
}
