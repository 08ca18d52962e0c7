import { findRelease, openDraft, volumesIn } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import { DEFAULT_SETTINGS, type PlacementSettings, type World } from "../world/world.ts";
import type { DeploymentId, Release } from "../model/deployment.ts";
import type { Location } from "../model/instance.ts";
import { tenantOf } from "../model/instance-id.ts";
import { volumeKey } from "../model/volume.ts";
import { affinityOf } from "./affinity.ts";
import { openFleet } from "./fleet.ts";
import type { Counts, Fleet, FleetSource } from "./fleet.ts";
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

/**
 * The fleet as the draft stands; `standing` is what the deployments take that it does not hold.
 * Volumes of the keys in `left` keep nothing on their nodes.
 */
export function fleetOfDraft(
  draft: Draft,
  settings: PlacementSettings,
  standing?: Counts,
  left: ReadonlySet<string> = new Set(),
): Fleet {
  const { world, awake } = draft;
  const rests = <T extends { readonly deploymentId: DeploymentId }>(one: T): boolean =>
    awake?.has(one.deploymentId) === false;
  return openFleet({
    ...sourceOf(draft, settings),
    standing,
    others: awake === undefined ? [] : world.locations.filter(rests),
    releasedPorts: draft.releasedPorts,
    volumes: volumesIn(draft).filter(one => left.size === 0 || !left.has(volumeKey(one))),
  });
}

/** What the locations in the draft take, on top of `standing`. */
export function countsOfDraft(draft: Draft, settings: PlacementSettings, standing?: Counts): Counts {
  const source = { ...sourceOf(draft, settings), standing, others: [], releasedPorts: [], volumes: [] };
  const { affinity: _, needOfRelease: __, ...counts } = openFleet(source);
  return counts;
}

function sourceOf(
  draft: Draft,
  { tenantsOnManagers, memoryOvercommit }: PlacementSettings,
): Omit<FleetSource, "standing" | "others" | "releasedPorts" | "volumes"> {
  return {
    tenants: draft.tenants.values(),
    nodes: draft.nodes.values(),
    locations: allLocations(draft),
    now: draft.now,
    placements: draft.placements,
    affinity: () => affinityOf(draft.world),
    needOfRelease: release => attempt(() => needOfRelease(release, memoryOvercommit)),
    tenantsOnManagers,
    needOf: countable(needsOfDraft(draft, memoryOvercommit)),
    slotOf: id => draft.instances.get(id)?.slot,
    isLeaving: location =>
      location.desired !== "run" ||
      location.epoch !== draft.instances.get(location.instanceId)?.epoch ||
      location.release !== draft.deployments.get(location.deploymentId)?.release,
  };
}

/**
 * Of a release whose need cannot be told, its instances count and their room does not: whoever
 * places one of it throws.
 */
function countable(needs: FleetSource["needOf"]): FleetSource["needOf"] {
  return (deploymentId, release) => attempt(() => needs(deploymentId, release));
}

function attempt(tell: () => Need | undefined): Need | undefined {
  try {
    return tell();
  } catch {
    return undefined;
  }
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
    return release === undefined ? undefined : needOfRelease(release, memoryOvercommit);
  };
}

function needOfRelease(release: Release, memoryOvercommit: number): Need {
  const found = derived.get(release);
  if (found?.memoryOvercommit === memoryOvercommit) return found.need;
  const { deploymentId, spec } = release;
  const need = needOf(tenantOf(deploymentId), deploymentId, spec, memoryOvercommit);
  derived.set(release, { need, memoryOvercommit });
  return need;
}

function* allLocations(draft: Draft): Iterable<Location> {
  for (const locations of draft.locations.values()) yield* locations;
}
