import { openDraft, releaseKey } from "../decide/draft.ts";
import type { Draft } from "../decide/draft.ts";
import type { World } from "../decide/world.ts";
import type { DeploymentId } from "../model/deployment.ts";
import type { Location } from "../model/instance.ts";
import { openFleet } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { needOf } from "./need.ts";
import type { Need } from "./need.ts";

/** The fleet as the world records it. */
export function fleetOf(world: World): Fleet {
  const draft = openDraft(world, 0);
  return fleetOfDraft(draft, needsOfDraft(draft));
}

/** Looks up what instances of a release need, derived once per release. */
export function needsOf(world: World): (deploymentId: DeploymentId, release: number) => Need | undefined {
  return needsOfDraft(openDraft(world, 0));
}

/** The fleet as the draft stands. */
export function fleetOfDraft(draft: Draft, needs: ReturnType<typeof needsOfDraft>): Fleet {
  return openFleet({
    tenants: draft.tenants.values(),
    nodes: draft.nodes.values(),
    locations: allLocations(draft),
    placements: draft.placements,
    needOf: needs,
    slotOf: id => draft.instances.get(id)?.slot,
    isLeaving: location =>
      location.desired !== "run" ||
      location.epoch !== draft.instances.get(location.instanceId)?.epoch ||
      location.release !== draft.deployments.get(location.deploymentId)?.release,
  });
}

/** Looks up what instances of a release need, derived once per release of the draft. */
export function needsOfDraft(draft: Draft): (deploymentId: DeploymentId, release: number) => Need | undefined {
  const known = new Map<string, Need>();
  return (deploymentId, number) => {
    const key = releaseKey(deploymentId, number);
    const found = known.get(key);
    if (found !== undefined) return found;
    const release = draft.releases.get(key);
    if (release === undefined) return undefined;
    const tenantId = draft.deployments.get(deploymentId)?.tenantId ?? deploymentId.slice(0, deploymentId.indexOf("."));
    const need = needOf(tenantId, deploymentId, release.spec);
    known.set(key, need);
    return need;
  };
}

function* allLocations(draft: Draft): Iterable<Location> {
  for (const locations of draft.locations.values()) yield* locations;
}
