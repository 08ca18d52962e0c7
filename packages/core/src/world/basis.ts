import type { DeploymentId } from "../model/deployment.ts";
import type { InstanceId } from "../model/instance.ts";
import type { Basis, Change } from "./plan.ts";
import type { World } from "./world.ts";

/** For a plan that is committed whatever the records say. */
export const NO_BASIS: Basis = { locations: [], deployments: [] };

/** What `changes` were decided on in `world`, beside the numbers that they carry themselves. */
export function basisOf(world: World, changes: readonly Change[]): Basis {
  const locations = new Set<string>();
  const placed = new Set<InstanceId>();
  const deployments = new Set<DeploymentId>();
  const stopped = new Set(changes.flatMap(one => (one.kind === "stop-instance" ? [one.instanceId] : [])));
  const owners = new Map(world.instances.filter(one => stopped.has(one.id)).map(one => [one.id, one.deploymentId]));
  for (const change of changes) {
    switch (change.kind) {
      case "retire":
      case "stop":
      case "lose":
      case "forget-location":
        locations.add(keyOf(change));
        placed.add(change.instanceId);
        break;
      case "create-instance":
        deployments.add(change.instance.deploymentId);
        break;
      case "stop-instance":
        deployments.add(owners.get(change.instanceId) ?? "");
        break;
      case "forget-deployment":
        deployments.add(change.deploymentId);
        break;
      default:
    }
  }
  return {
    locations: world.locations
      .filter(one => placed.has(one.instanceId) && locations.has(keyOf(one)))
      .map(({ instanceId, epoch, state, desired }) => ({ instanceId, epoch, state, desired })),
    deployments: world.deployments
      .filter(one => deployments.has(one.id))
      .map(({ id, resourceVersion }) => ({ deploymentId: id, resourceVersion })),
  };
}

function keyOf(of: { readonly instanceId: InstanceId; readonly epoch: number }): string {
  return `${of.instanceId} ${of.epoch}`;
}
