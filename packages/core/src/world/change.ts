import type { Instance, InstanceId, Location } from "../model/instance.ts";
import { volumeKey } from "../model/volume.ts";
import type { Volume } from "../model/volume.ts";
import { volumesOwnedBy } from "./draft.ts";
import type { Draft } from "./draft.ts";
import type { Change } from "./plan.ts";
import { releasePorts } from "./released-ports.ts";

/** Makes a change part of the plan and applies it to the draft at once. */
export function record(draft: Draft, change: Change): void {
  draft.changes.push(change);
  applyChange(draft, change);
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
    case "create-volume": {
      const { owner } = change.volume;
      draft.volumes.set(owner, [...volumesOwnedBy(draft, owner), change.volume]);
      return;
    }
    case "leave-volume": {
      const { owner } = change.volume;
      const key = volumeKey(change.volume);
      const left = (one: Volume): Volume => (volumeKey(one) === key ? { ...one, state: "left" } : one);
      draft.volumes.set(owner, volumesOwnedBy(draft, owner).map(left));
      return;
    }
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
      draft.releases.delete(change.deploymentId);
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
  const before = draft.lastPlaced.get(change.nodeId) ?? draft.nodes.get(change.nodeId)?.lastPlaced ?? 0;
  draft.lastPlaced.set(change.nodeId, Math.max(before, change.placement));
}

function forgetLocation(draft: Draft, of: Extract<Change, { kind: "forget-location" }>): void {
  const known = draft.locations.get(of.instanceId) ?? [];
  const gone = known.filter(location => location.epoch === of.epoch);
  draft.releasedPorts = releasePorts(draft.releasedPorts, gone, of.portsFreeAt, draft.now);
  const rest = known.filter(location => location.epoch !== of.epoch);
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
