import type { DeploymentId } from "../model/deployment.ts";
import { culpritsOf } from "../world/culprits.ts";
import type { Settings, World } from "../world/world.ts";
import { everybody, lookAt, type Look } from "./decide.ts";

/**
 * Looks as `lookAt` does. Where that throws, the deployments whose records make it throw are set
 * aside and stay as they are: what they have runs on and counts, and of the others everything is
 * decided. One that is aside is tried again once something of it changes, and once a minute.
 * @throws what `lookAt` throws, where no deployment by itself makes it throw.
 */
export function lookAround(world: World, settings: Settings, now: number, before: Look | undefined): Look {
  const look =
    attempt(() => lookAt(world, settings, now, before)) ??
    attempt(() => lookAt(world, settings, now, before, before?.aside));
  if (look !== undefined) return look;
  const decide = (part: World): Look => lookAt(part, settings, now, undefined);
  return lookAt(
    world,
    settings,
    now,
    before,
    culpritsOf({ ids: [...everybody(world)], records: world, partOf, decide }),
  );
}

/** `undefined` where it throws. */
function attempt(look: () => Look): Look | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function partOf(world: World, ids: ReadonlySet<DeploymentId>): World {
  const own = <T extends { readonly deploymentId: DeploymentId }>(all: readonly T[]): readonly T[] =>
    all.filter(one => ids.has(one.deploymentId));
  return {
    ...world,
    deployments: world.deployments.filter(one => ids.has(one.id)),
    releases: own(world.releases),
    instances: own(world.instances),
    locations: own(world.locations),
  };
}
