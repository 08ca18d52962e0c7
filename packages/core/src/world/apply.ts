import type { NodeId } from "../model/node.ts";
import { closeDraft, openDraft } from "./draft.ts";
import { applyChange } from "./change.ts";
import type { Plan } from "./plan.ts";
import type { World } from "./world.ts";

/**
 * The world after the plan was committed at `now`: what a store's commit writes, as a value.
 * A change that names something unknown changes nothing. Nodes' assignment revisions stay as they
 * are: raise those of `touchedNodes`.
 */
export function applyPlan(world: World, plan: Plan, now: number): World {
  const draft = openDraft(world, now);
  for (const change of plan.changes) applyChange(draft, change);
  return closeDraft(draft);
}

/** The nodes whose assignment a plan changes, by id. */
export function touchedNodes(world: World, plan: Plan): ReadonlySet<NodeId> {
  const draft = openDraft(world, 0);
  const touched = new Set<NodeId>();
  for (const change of plan.changes) {
    if (change.kind === "place") touched.add(change.nodeId);
    else if (change.kind === "create-volume" || change.kind === "leave-volume") touched.add(change.volume.nodeId);
    else if (change.kind === "stop-instance")
      for (const { nodeId } of draft.locations.get(change.instanceId) ?? []) touched.add(nodeId);
    else if (
      change.kind === "stop" ||
      change.kind === "retire" ||
      change.kind === "lose" ||
      change.kind === "forget-location"
    ) {
      for (const location of draft.locations.get(change.instanceId) ?? [])
        if (location.epoch === change.epoch) touched.add(location.nodeId);
    }
    applyChange(draft, change);
  }
  return touched;
}
