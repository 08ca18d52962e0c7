import { isSingleName } from "./volume-rule.ts";
import { isGlobal } from "@skep/core/model/mode.ts";
import type { Instance, Location } from "@skep/core/model/instance.ts";
import { isLive, isWell } from "@skep/core/model/state.ts";
import type { World } from "@skep/core/world/world.ts";

/**
 * The least wait after a failed placement; the design says 5 s, and clocks of the database and
 * others differ a little. It is counted by what the leader may believe: after 5 s that have truly
 * passed nobody minds that the database's clock was set back meanwhile and says less.
 */
const LEAST_RETRY_MS = 4_500;

/**
 * What must hold of each change of the records by any writer. Answers the first sentence that
 * does not hold between two moments. A plan may still be of what users wanted a moment ago: what
 * serves is judged where `isSteady`.
 */
export function brokenChangeRule(
  before: World,
  after: World,
  believedNow: number,
  isSteady: (deploymentId: string) => boolean = () => true,
): string | undefined {
  const known = new Map(before.locations.map(one => [keyOf(one), one]));
  for (const location of after.locations) {
    const was = known.get(keyOf(location));
    if (was === location) continue;
    const broken =
      was === undefined
        ? (brokenPlacing(before, location, believedNow) ?? brokenMost(after, location, known))
        : (brokenState(was, location) ??
          (isSteady(location.deploymentId) ? brokenEnd(before, after, was, location) : undefined));
    if (broken !== undefined) return broken;
  }
  const instances = new Set(before.instances.map(one => one.id));
  const created = after.instances.filter(one => !instances.has(one.id) && one.epoch === 0);
  return created.length === 0 ? undefined : brokenCreation(before, after, created);
}

/** What is over stays so: its port and its room may be somebody else's by now. */
function brokenState(was: Location, is: Location): string | undefined {
  if (isLive(was) || !isLive(is)) return undefined;
  return `${nameOf(is)} was over (${was.state}), and is recorded as ${is.state} again`;
}

function brokenPlacing(before: World, placed: Location, believedNow: number): string | undefined {
  const last = before.locations.find(
    one => one.instanceId === placed.instanceId && one.epoch === placed.epoch - 1 && one.state === "failed",
  );
  if (last === undefined || believedNow - last.changedAt >= LEAST_RETRY_MS) return undefined;
  // Who moves it had told it to end before it failed.
  if (last.desired === "stop" && last.desiredAt < last.changedAt) return undefined;
  return `${nameOf(placed)} is placed again ${believedNow - last.changedAt} ms after it failed`;
}

/**
 * No node gets more copies of a deployment than the release of the placed one allows there. What
 * the same plan places there of another release may come after it, and is judged by its own: the
 * newer release may allow more, and the user wants that one.
 */
function brokenMost(after: World, placed: Location, known: ReadonlyMap<string, Location>): string | undefined {
  const most = specOf(after, placed.deploymentId, placed.release)?.placement.maxPerNode;
  if (most === undefined || placed.state !== "assigned") return undefined;
  const there = after.locations.filter(
    one =>
      one.nodeId === placed.nodeId &&
      one.deploymentId === placed.deploymentId &&
      one.desired === "run" &&
      isLive(one) &&
      (one.release === placed.release || known.has(keyOf(one))),
  );
  if (there.length <= most) return undefined;
  return `${nameOf(placed)} is placed on ${placed.nodeId} as copy ${there.length} of at most ${most}`;
}

/**
 * What serves goes on until something serves in its slot, unless the slot is not wanted or the
 * update stops first.
 */
function brokenEnd(before: World, after: World, was: Location, is: Location): string | undefined {
  if (was.desired !== "run" || is.desired === "run" || !isLive(is) || !serves(before, was)) return undefined;
  const deployment = after.deployments.find(one => one.id === is.deploymentId);
  const instance = before.instances.find(one => one.id === is.instanceId);
  if (deployment?.desired !== "run" || instance === undefined) return undefined;
  const slots = slotsOf(before, deployment.id);
  if (slots.size > deployment.replicas) return undefined;
  const spec = specOf(after, deployment.id, deployment.release);
  if (spec?.update.order === "stop-first" || (spec !== undefined && isGlobal(spec))) return undefined;
  // No second copy may run beside a single one.
  if (isSingleName(deployment.id)) return undefined;
  const mates = new Set((slots.get(instance.slot) ?? []).map(one => one.id)).add(instance.id);
  const isServed = after.locations.some(one => mates.has(one.instanceId) && one.desired === "run" && isWell(one));
  return isServed ? undefined : `${nameOf(is)} stops serving before anything serves in its place`;
}

function brokenCreation(before: World, after: World, created: readonly Instance[]): string | undefined {
  for (const deployment of after.deployments) {
    const fresh = created.filter(one => one.deploymentId === deployment.id);
    if (fresh.length === 0) continue;
    const update = specOf(after, deployment.id, deployment.release)?.update;
    if (update === undefined) continue;
    const slots = slotsOf(before, deployment.id);
    const isOld = (one: Instance): boolean => one.release !== deployment.release;
    const replacing = fresh.filter(one => slots.get(one.slot)?.some(isOld));
    if (update.order === "stop-first") {
      const early = replacing.find(one => slots.get(one.slot)?.some(mate => isOld(mate) && hasLive(after, mate)));
      if (early !== undefined)
        return `${early.id} starts while what it replaces still runs, and its update is stop-first`;
    }
    // What the same plan ends replaces nothing any more.
    const wanted = new Set(after.instances.filter(one => one.desired === "run").map(one => one.id));
    const going = [...slots.values()].map(mates => mates.filter(one => wanted.has(one.id)));
    const busy = going.filter(
      mates =>
        mates.some(isOld) && mates.some(one => !isOld(one)) && !mates.some(one => !isOld(one) && hasWell(before, one)),
    ).length;
    const most = update.parallelism <= 0 ? Infinity : update.parallelism;
    if (replacing.length > 0 && busy + replacing.length > most)
      return `${deployment.id} replaces ${busy + replacing.length} at once, and its update allows ${most}`;
  }
  return undefined;
}

/** The wanted instances of a deployment by their slots. */
function slotsOf(world: World, deploymentId: string): Map<number, readonly Instance[]> {
  const wanted = world.instances.filter(one => one.deploymentId === deploymentId && one.desired === "run");
  return Map.groupBy(wanted, one => one.slot);
}

function serves(world: World, location: Location): boolean {
  const node = world.nodes.find(one => one.id === location.nodeId);
  return isWell(location) && node?.liveness === "ready";
}

function hasLive(world: World, instance: Instance): boolean {
  return world.locations.some(one => one.instanceId === instance.id && isLive(one));
}

function hasWell(world: World, instance: Instance): boolean {
  return world.locations.some(one => one.instanceId === instance.id && isWell(one));
}

function specOf(world: World, deploymentId: string, number: number) {
  return world.releases.find(one => one.deploymentId === deploymentId && one.number === number)?.spec;
}

const keyOf = (of: Location): string => `${of.instanceId} ${of.epoch}`;
const nameOf = (of: Location): string => `${of.instanceId}@${of.epoch}`;
