import type { Instance, InstanceId, Location } from "../model/instance.ts";
import type { NodeId } from "../model/node.ts";
import { closeDraft, openDraft } from "./draft.ts";
import type { Draft } from "./draft.ts";
import type { Change, Plan } from "./plan.ts";
import type { World } from "./world.ts";

/**
 * The world after the plan was committed at `now`: what a store's commit writes, as a value.
 * A change that names something unknown changes nothing. Nodes' assignment revisions stay as they are: raise those
 * of `touchedNodes`.
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

/** Applies one change to a draft. */
export function applyChange(draft: Draft, change: Change): void {
  switch (change.kind) {
    case "create-instance": {
      draft.instances.set(change.instance.id, change.instance);
      const deployment = draft.deployments.get(change.instance.deploymentId);
      if (deployment !== undefined)
        draft.deployments.set(deployment.id, { ...deployment, nextSerial: change.serial + 1 });
      return;
    }
    case "stop-instance":
      editInstance(draft, change.instanceId, instance => ({ ...instance, desired: "stop" }));
      editLocations(draft, change.instanceId, location =>
        location.desired === "stop" ? location : { ...location, desired: "stop", desiredAt: draft.now },
      );
      return;
    case "place":
      place(draft, change);
      return;
    case "refuse":
      editInstance(draft, change.instanceId, instance => ({ ...instance, refusal: change.refusal }));
      return;
    case "defer":
      editInstance(draft, change.instanceId, instance => ({ ...instance, retryAt: change.retryAt }));
      return;
    case "retire":
      editLocation(draft, change, location => ({ ...location, desired: "retire", desiredAt: draft.now }));
      return;
    case "stop":
      editLocation(draft, change, location => ({ ...location, desired: "stop", desiredAt: draft.now }));
      return;
    case "lose":
      editLocation(draft, change, location => ({
        ...location,
        state: "lost",
        changedAt: draft.now,
        message: change.because,
      }));
      return;
    case "forget-location":
      forgetLocation(draft, change);
      return;
    case "forget-instance":
      draft.instances.delete(change.instanceId);
      draft.locations.delete(change.instanceId);
      return;
    case "forget-deployment":
      draft.deployments.delete(change.deploymentId);
      for (const [key, release] of draft.releases)
        if (release.deploymentId === change.deploymentId) draft.releases.delete(key);
      return;
  }
}

function place(draft: Draft, change: Extract<Change, { kind: "place" }>): void {
  const instance = draft.instances.get(change.instanceId);
  if (instance === undefined) return;
  draft.instances.set(instance.id, { ...instance, epoch: change.epoch, refusal: undefined, retryAt: undefined });
  const location: Location = {
    instanceId: instance.id,
    deploymentId: instance.deploymentId,
    tenantId: instance.tenantId,
    release: instance.release,
    epoch: change.epoch,
    nodeId: change.nodeId,
    desired: "run",
    desiredAt: draft.now,
    ports: change.ports,
    state: "assigned",
    health: "none",
    containers: [],
    message: "",
    changedAt: draft.now,
  };
  const known = draft.locations.get(instance.id);
  draft.locations.set(instance.id, known === undefined ? [location] : [...known, location]);
  draft.placements = Math.max(draft.placements, change.placement);
  const node = draft.nodes.get(change.nodeId);
  if (node !== undefined) draft.nodes.set(node.id, { ...node, lastPlaced: change.placement });
}

function forgetLocation(draft: Draft, of: { readonly instanceId: InstanceId; readonly epoch: number }): void {
  const rest = (draft.locations.get(of.instanceId) ?? []).filter(location => location.epoch !== of.epoch);
  if (rest.length === 0) draft.locations.delete(of.instanceId);
  else draft.locations.set(of.instanceId, rest);
}

function editInstance(draft: Draft, id: InstanceId, edit: (instance: Instance) => Instance): void {
  const instance = draft.instances.get(id);
  if (instance !== undefined) draft.instances.set(id, edit(instance));
}

function editLocations(draft: Draft, id: InstanceId, edit: (location: Location) => Location): void {
  const locations = draft.locations.get(id);
  if (locations !== undefined) draft.locations.set(id, locations.map(edit));
}

function editLocation(
  draft: Draft,
  of: { readonly instanceId: InstanceId; readonly epoch: number },
  edit: (location: Location) => Location,
): void {
  editLocations(draft, of.instanceId, location => (location.epoch === of.epoch ? edit(location) : location));
}
