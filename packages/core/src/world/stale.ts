import { volumeKey } from "../model/volume.ts";
import type { InstanceId } from "../model/instance.ts";
import type { Change, Plan } from "./plan.ts";
import type { World } from "./world.ts";

/**
 * Why the plan was decided on records that are not `world`'s any more; `undefined` where it may be
 * committed. What stands below a record goes with it, so an instance is forgotten only without
 * locations and a deployment only without instances.
 */
export function whyStale(world: World, plan: Plan): string | undefined {
  return whyNumbersMoved(world, plan.changes) ?? whyBasisMoved(world, plan) ?? whyHeld(world, plan.changes);
}

function whyNumbersMoved(world: World, changes: readonly Change[]): string | undefined {
  const serials = new Map(world.deployments.map(deployment => [deployment.id, deployment.nextSerial]));
  const epochs = new Map(world.instances.map(instance => [instance.id, instance.epoch]));
  const locations = new Set(world.locations.map(keyOf));
  const volumes = new Set(world.volumes.map(volumeKey));
  const kept = new Set(world.volumes.filter(one => one.state === "kept").map(volumeKey));
  for (const change of changes) {
    if (change.kind === "create-instance") {
      const { id, deploymentId, epoch } = change.instance;
      if (serials.get(deploymentId) !== change.serial) return "a deployment has gone, or got other instances meanwhile";
      if (epochs.has(id)) return "an instance or location of that number is there already";
      serials.set(deploymentId, change.serial + 1);
      epochs.set(id, epoch);
    } else if (change.kind === "create-volume") {
      if (volumes.has(volumeKey(change.volume))) return "a volume of that number is there already";
      volumes.add(volumeKey(change.volume));
    } else if (change.kind === "leave-volume") {
      if (!kept.has(volumeKey(change.volume))) return "a volume has gone, or was given up meanwhile";
    } else if (change.kind === "place") {
      if (epochs.get(change.instanceId) !== change.epoch - 1) return "an instance was placed or forgotten meanwhile";
      if (locations.has(keyOf(change))) return "an instance or location of that number is there already";
      epochs.set(change.instanceId, change.epoch);
    }
  }
  return undefined;
}

function whyBasisMoved(world: World, { basis }: Plan): string | undefined {
  const locations = new Map(basis.locations.map(one => [keyOf(one), one]));
  let seen = 0;
  for (const location of world.locations) {
    const before = locations.get(keyOf(location));
    if (before?.state === location.state && before.desired === location.desired) seen += 1;
  }
  if (seen !== basis.locations.length) return "a location has gone, or got another state meanwhile";
  const versions = new Map(world.deployments.map(one => [one.id, one.resourceVersion]));
  return basis.deployments.every(one => versions.get(one.deploymentId) === one.resourceVersion)
    ? undefined
    : "a deployment has gone, or was changed meanwhile";
}

function whyHeld(world: World, changes: readonly Change[]): string | undefined {
  const forgotten = new Set<string>();
  for (const change of changes) {
    if (change.kind === "forget-location") forgotten.add(keyOf(change));
    if (change.kind === "forget-instance") forgotten.add(change.instanceId);
  }
  const instances = new Set(world.instances.map(one => one.id));
  const held = new Set<string>();
  for (const one of world.locations) if (!forgotten.has(keyOf(one))) held.add(one.instanceId);
  for (const one of world.instances) if (!forgotten.has(one.id)) held.add(one.deploymentId);
  const deleted = new Set(world.deployments.filter(one => one.desired === "deleted").map(one => one.id));
  for (const change of changes) {
    if (change.kind === "forget-instance" && (!instances.has(change.instanceId) || held.has(change.instanceId)))
      return "an instance has gone, or got a location meanwhile";
    if (change.kind === "forget-deployment" && (!deleted.has(change.deploymentId) || held.has(change.deploymentId)))
      return "a deployment has gone, is wanted, or got an instance meanwhile";
  }
  return undefined;
}

function keyOf(of: { readonly instanceId: InstanceId; readonly epoch: number }): string {
  return `${of.instanceId} ${of.epoch}`;
}
