import type { DeploymentId, DeploymentSpec } from "../model/deployment.ts";
import type { VolumeOwner } from "../model/volume.ts";
import { mountingIn, mountsOf } from "../placement/affinity.ts";
import type { InstanceId } from "../model/instance.ts";
import { deploymentIdOf, tenantOf } from "../model/instance-id.ts";
import type { Node, NodeId } from "../model/node.ts";
import { isGlobal } from "../model/mode.ts";
import { oncePer } from "../world/once-per.ts";
import { ORDER } from "../world/order.ts";
import type { Settings, World } from "../world/world.ts";

/** What a look at the world leaves to the next one. */
export interface Seen {
  /** In order. */
  readonly world: World;
  readonly settings: Settings;
  readonly now: number;
  /** When all of it was last looked at. */
  readonly wholeAt: number;
  /** Deployments that got a change or want a node. */
  readonly restless: ReadonlySet<DeploymentId>;
  /** When something is due by the passing of time alone, for the deployments where it is. */
  readonly due: ReadonlyMap<DeploymentId, number>;
}

/**
 * Everything is looked at once a minute whatever is known of it: no mistake of a part lasts.
 */
const WHOLE_EACH_MS = 60_000;

/**
 * The deployments that have to be looked at; `undefined` for all. Every pass but placing looks at a
 * deployment's own records and the nodes of its locations: where none of them changed and nothing
 * was wanted or became due, it would find nothing again. `world` is in order.
 */
export function awakeSince(
  seen: Seen | undefined,
  world: World,
  settings: Settings,
  now: number,
): ReadonlySet<DeploymentId> | undefined {
  // Also where all are looked at: the next look finds it made, and need not read what rests.
  const dependents = dependentsIn(world.releases);
  if (seen === undefined || seen.settings !== settings) return undefined;
  if (now < seen.now || now >= seen.wholeAt + WHOLE_EACH_MS) return undefined;
  const before = seen.world;
  const awake = new Set(seen.restless);
  for (const [id, at] of seen.due) if (at <= now) awake.add(id);
  for (const { id } of differing(before.deployments, world.deployments, ORDER.deployments)) awake.add(id);
  for (const one of differing(before.releases, world.releases, ORDER.releases)) awake.add(one.deploymentId);
  for (const one of differing(before.instances, world.instances, ORDER.instances)) awake.add(one.deploymentId);
  for (const one of differing(before.locations, world.locations, ORDER.locations)) awake.add(one.deploymentId);
  const moved = movedNodes(before.nodes, world.nodes);
  const owners = new Set(differing(before.volumes, world.volumes, ORDER.volumes).map(one => one.owner));
  // What waits for the volumes of a node may have no record there.
  if (moved.size > 0) for (const one of world.volumes) if (moved.has(one.nodeId)) owners.add(one.owner);
  if (owners.size > 0) for (const id of mounting(world, owners)) awake.add(id);
  if (moved.size > 0) for (const one of world.locations) if (moved.has(one.nodeId)) awake.add(one.deploymentId);
  if (!isSameGround(before.nodes, world.nodes)) for (const id of globalsIn(world.releases)) awake.add(id);
  const unseen = before.unseen ?? new Map<InstanceId, number>();
  if (unseen.size > 0) for (const one of world.instances) if (unseen.has(one.id)) awake.add(one.deploymentId);
  // A set goes on through what is added to it meanwhile.
  for (const id of awake) for (const other of dependents.get(id) ?? []) awake.add(other);
  return awake;
}

/** The deployments that wait for each one; the list of releases changes seldom. */
const dependentsIn = oncePer((releases: World["releases"]) => {
  const dependents = new Map<DeploymentId, Set<DeploymentId>>();
  for (const { deploymentId, spec } of releases) {
    // One that cannot be read waits for nobody: whoever places it throws, and it is set aside.
    for (const { name } of (spec as Partial<DeploymentSpec>).dependsOn ?? []) {
      const id = deploymentIdOf(tenantOf(deploymentId), name);
      dependents.set(id, (dependents.get(id) ?? new Set()).add(deploymentId));
    }
  }
  return dependents;
});

/** The deployments that mount volumes of these owners. */
function mounting(world: World, owners: ReadonlySet<VolumeOwner>): readonly DeploymentId[] {
  const some = mountingIn(world.releases).filter(release => mountsOf(release).some(one => owners.has(one.owner)));
  return some.map(one => one.deploymentId);
}

/** The deployments whose instances follow the nodes. */
const globalsIn = oncePer((releases: World["releases"]) =>
  releases.filter(({ spec }) => isGlobal(spec)).map(one => one.deploymentId),
);

/** Whether all is the same of the nodes that says whether a global deployment runs there. */
function isSameGround(before: readonly Node[], after: readonly Node[]): boolean {
  return before.length === after.length && before.every((node, at) => isSameNode(node, after[at]!));
}

function isSameNode(a: Node, b: Node): boolean {
  const of = ({ id, availability, liveness, role, hostname, os, architecture, engineVersion }: Node): string =>
    [id, availability, liveness, role, hostname, os, architecture, engineVersion].join();
  return of(a) === of(b) && isSameRecord(a.labels, b.labels) && isSameRecord(a.engineLabels, b.engineLabels);
}

function isSameRecord(a: Node["labels"], b: Node["labels"]): boolean {
  const keys = Object.keys(a);
  return a === b || (keys.length === Object.keys(b).length && keys.every(key => a[key] === b[key]));
}

/** The records that only one of the lists has; both are in order. */
function differing<T>(before: readonly T[], after: readonly T[], compare: (a: T, b: T) => number): readonly T[] {
  if (before === after) return [];
  const found: T[] = [];
  let [old, young] = [0, 0];
  while (old < before.length && young < after.length) {
    const [a, b] = [before[old]!, after[young]!];
    const order = a === b ? 0 : compare(a, b);
    if (a !== b && order <= 0) found.push(a);
    if (a !== b && order >= 0) found.push(b);
    if (order <= 0) old += 1;
    if (order >= 0) young += 1;
  }
  while (old < before.length) found.push(before[old++]!);
  while (young < after.length) found.push(after[young++]!);
  return found;
}

/**
 * The nodes of which something changed that a pass goes by. A node is a new object in each world:
 * its load is the latest, and that is for placing alone.
 */
function movedNodes(before: readonly Node[], after: readonly Node[]): ReadonlySet<NodeId> {
  const isSame = (a: Node, b: Node): boolean => a.liveness === b.liveness && a.availability === b.availability;
  const moved = new Set<NodeId>();
  let [old, young] = [0, 0];
  while (old < before.length || young < after.length) {
    const [a, b] = [before[old], after[young]];
    const order = a === undefined ? 1 : b === undefined ? -1 : ORDER.nodes(a, b);
    if (order < 0) moved.add(a!.id);
    if (order > 0) moved.add(b!.id);
    if (order === 0 && !isSame(a!, b!)) moved.add(a!.id);
    if (order <= 0) old += 1;
    if (order >= 0) young += 1;
  }
  return moved;
}
