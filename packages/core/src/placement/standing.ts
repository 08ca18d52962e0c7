import type { DeploymentId } from "../model/deployment.ts";
import { openDraft, type Draft, type Some } from "../world/draft.ts";
import type { PlacementSettings, World } from "../world/world.ts";
import { countsOfDraft } from "./fleet-of-world.ts";
import type { Counts } from "./fleet.ts";

/** What resting deployments take of the nodes, so that placing need not count it anew each time. */
export interface Standing {
  readonly counts: Counts;
  /** The world that was counted. */
  readonly world: World;
  /** The deployments that were not. */
  readonly without: ReadonlySet<DeploymentId>;
  /** Deployments that were awake since. */
  readonly stirred: ReadonlySet<DeploymentId>;
}

/**
 * What rests beside the draft. Deployments that were awake since the last count are taken out as
 * they were counted, and those that rest again are counted as they are. Where there are other nodes
 * or tenants, all is counted.
 */
export function standingOf(
  { world, now }: Draft,
  awake: ReadonlySet<DeploymentId>,
  settings: PlacementSettings,
  before: Standing | undefined,
): Standing {
  const of = (from: World, some: Some): Draft => openDraft(from, now, some);
  const counted = { world, without: awake, stirred: new Set<DeploymentId>() };
  if (before === undefined || !isSameGround(before.world, world))
    return { ...counted, counts: countsOfDraft(of(world, { has: id => !awake.has(id) }), settings) };
  const gone = new Set([...awake, ...before.stirred].filter(id => !before.without.has(id)));
  const come = new Set([...before.without, ...before.stirred].filter(id => !awake.has(id)));
  let { counts } = before;
  if (gone.size > 0) counts = without(counts, countsOfDraft(of(before.world, gone), settings));
  if (come.size > 0) counts = countsOfDraft(of(world, come), settings, counts);
  return { ...counted, counts };
}

/** After a look in which nothing was placed. */
export function stir(standing: Standing, awake: ReadonlySet<DeploymentId>): Standing {
  return { ...standing, stirred: new Set([...standing.stirred, ...awake]) };
}

/**
 * Whether what was counted is counted the same now: by node, by whether its load is measured, and
 * by tenant.
 */
function isSameGround(before: World, now: World): boolean {
  const { nodes, tenants } = now;
  if (before.nodes.length !== nodes.length || before.tenants.length !== tenants.length) return false;
  for (const [at, { id, load }] of nodes.entries()) {
    const known = before.nodes[at]!;
    if (known.id !== id || (known.load === undefined) !== (load === undefined)) return false;
  }
  return tenants.every((tenant, at) => tenant === before.tenants[at]);
}

/** The counts without a part of them. What is kept by deployment is in one of the two. */
function without(all: Counts, part: Counts): Counts {
  const less = <T extends Float64Array | Int32Array>(one: T, other: T): T =>
    one.map((value, index) => value - other[index]!) as T;
  const rest = <T>(one: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>): Map<string, T> => {
    const map = new Map(one);
    for (const key of other.keys()) map.delete(key);
    return map;
  };
  const avoidedBy = new Map(all.avoidedBy);
  for (const [id, gone] of part.avoidedBy) {
    const left = new Set([...(avoidedBy.get(id) ?? [])].filter(one => !gone.has(one)));
    if (left.size > 0) avoidedBy.set(id, left);
    else avoidedBy.delete(id);
  }
  const tenants = new Map(all.tenants);
  for (const [id, gone] of part.tenants) {
    const use = tenants.get(id);
    if (use === undefined || gone.slots.size === 0) continue;
    tenants.set(id, {
      quota: use.quota,
      instances: use.instances - gone.instances,
      cpuMillis: use.cpuMillis - gone.cpuMillis,
      memoryBytes: use.memoryBytes - gone.memoryBytes,
      slots: new Set([...use.slots].filter(slot => !gone.slots.has(slot))),
    });
  }
  return {
    cpuUsed: less(all.cpuUsed, part.cpuUsed),
    memoryUsed: less(all.memoryUsed, part.memoryUsed),
    count: less(all.count, part.count),
    cpuSince: less(all.cpuSince, part.cpuSince),
    memorySince: less(all.memorySince, part.memorySince),
    specBytes: less(all.specBytes, part.specBytes),
    specs: rest(all.specs, part.specs),
    deployed: rest(all.deployed, part.deployed),
    leaving: rest(all.leaving, part.leaving),
    ...{ avoidedBy, tenants },
  };
}
