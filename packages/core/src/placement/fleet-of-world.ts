import { findRelease, openDraft } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import { DEFAULT_SETTINGS, type PlacementSettings, type World } from "../world/world.ts";
import type { DeploymentId, Release } from "../model/deployment.ts";
import type { Location } from "../model/instance.ts";
import { tenantOf } from "../model/instance-id.ts";
import { openFleet } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { needOf } from "./need.ts";
import type { Need } from "./need.ts";

/** The fleet as the world records it. */
export function fleetOf(world: World, now: number, settings: PlacementSettings = DEFAULT_SETTINGS): Fleet {
  const draft = openDraft(world, now);
  return fleetOfDraft(draft, settings, needsOfDraft(draft, settings.memoryOvercommit));
}

/** Looks up what instances of a release need, derived once per release. */
export function needsOf(
  world: World,
  memoryOvercommit: number,
): (deploymentId: DeploymentId, release: number) => Need | undefined {
  return needsOfDraft(openDraft(world, 0), memoryOvercommit);
}

/** The fleet as the draft stands. */
export function fleetOfDraft(
  draft: Draft,
  { tenantsOnManagers }: PlacementSettings,
  needs: ReturnType<typeof needsOfDraft>,
): Fleet {
  return openFleet({
    tenants: draft.tenants.values(),
    nodes: draft.nodes.values(),
    locations: allLocations(draft),
    releasedPorts: draft.releasedPorts,
    now: draft.now,
    volumes: [...draft.volumes.values()].flat(),
    placements: draft.placements,
    tenantsOnManagers,
    needOf: needs,
    slotOf: id => draft.instances.get(id)?.slot,
    isLeaving: location =>
      location.desired !== "run" ||
      location.epoch !== draft.instances.get(location.instanceId)?.epoch ||
      location.release !== draft.deployments.get(location.deploymentId)?.release,
  });
}

/**
 * What was derived from each release: they never change, and one look after the other asks for the
 * same ones.
 */
const derived = new WeakMap<Release, { readonly need: Need; readonly memoryOvercommit: number }>();

/** Looks up what instances of a release need. */
export function needsOfDraft(
  draft: Draft,
  memoryOvercommit: number,
): (deploymentId: DeploymentId, release: number) => Need | undefined {
  return (deploymentId, number) => {
    const release = findRelease(draft, deploymentId, number);
    if (release === undefined) return undefined;
    const found = derived.get(release);
    if (found?.memoryOvercommit === memoryOvercommit) return found.need;
    const tenantId = tenantOf(deploymentId);
    const need = needOf(tenantId, deploymentId, release.spec, memoryOvercommit);
    derived.set(release, { need, memoryOvercommit });
    return need;
  };
}

function* allLocations(draft: Draft): Iterable<Location> {
  for (const locations of draft.locations.values()) yield* locations;
}
