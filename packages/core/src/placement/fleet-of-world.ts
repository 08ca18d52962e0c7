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
  return fleetOfDraft(openDraft(world, now), settings);
}

/** Looks up what instances of a release need, derived once per release. */
export function needsOf(
  world: World,
  memoryOvercommit: number,
): (deploymentId: DeploymentId, release: number) => Need | undefined {
  return needsOfDraft(openDraft(world, 0), memoryOvercommit);
}

/** The fleet as the draft stands, with what rests beside it. */
export function fleetOfDraft(draft: Draft, { tenantsOnManagers, memoryOvercommit }: PlacementSettings): Fleet {
  const rest = restOf(draft);
  const [needs, needsOfRest] = [needsOfDraft(draft, memoryOvercommit), needsOfDraft(rest, memoryOvercommit)];
  const isAwake = (id: DeploymentId): boolean => draft.awake?.has(id) !== false;
  const at = (id: DeploymentId): Draft => (isAwake(id) ? draft : rest);
  return openFleet({
    tenants: draft.tenants.values(),
    nodes: draft.nodes.values(),
    locations: allLocations([draft, rest]),
    releasedPorts: draft.releasedPorts,
    now: draft.now,
    volumes: [...draft.volumes.values(), ...rest.volumes.values()].flat(),
    placements: draft.placements,
    tenantsOnManagers,
    needOf: (id, release) => (isAwake(id) ? needs : needsOfRest)(id, release),
    slotOf: ({ deploymentId, instanceId }) => at(deploymentId).instances.get(instanceId)?.slot,
    isLeaving: ({ desired, deploymentId, instanceId, epoch, release }) =>
      desired !== "run" ||
      epoch !== at(deploymentId).instances.get(instanceId)?.epoch ||
      release !== at(deploymentId).deployments.get(deploymentId)?.release,
  });
}

/** The records that the draft does not hold. */
function restOf({ world, now, awake }: Draft): Draft {
  return openDraft(world, now, { has: id => awake?.has(id) === false });
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

function* allLocations(drafts: readonly Draft[]): Iterable<Location> {
  for (const draft of drafts) for (const locations of draft.locations.values()) yield* locations;
}
