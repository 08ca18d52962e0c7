import { instanceIdOf } from "../model/instance-id.ts";
import { record } from "../world/change.ts";
import { findRelease, listed, locationsOf, releaseOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import type { Deployment, DeploymentId } from "../model/deployment.ts";
import type { Instance, InstanceId } from "../model/instance.ts";
import { isGlobal, isJob } from "../model/mode.ts";
import { currentOf } from "../model/state.ts";
import { isSingle } from "../model/volume.ts";
import { markFirstStart, updateWaitOf } from "./dependencies.ts";
import { endGently, endNow, hasLiveLocation, isInstanceServing, isInstanceUp, isRetiring } from "./ending.ts";
import { nodeSlots } from "../placement/node-slots.ts";
import { isDone } from "./retry.ts";
import { freeSlots, slotsOf, splitSurplus } from "./slots.ts";
import type { Slot, WantedSlots } from "./slots.ts";

/**
 * Makes the instances of every deployment what the deployment asks for: creates what is missing,
 * ends what is too many, and replaces those of old releases. Answers the instances that are on
 * their way out, which are not to be placed again.
 */
export function fillSlots(draft: Draft, settings: Settings): ReadonlySet<InstanceId> {
  const ending = new Set<InstanceId>();
  const byDeployment = listed(draft.instances.values(), instance => instance.deploymentId);
  for (const [deploymentId, instances] of byDeployment) {
    if (draft.deployments.has(deploymentId)) continue;
    for (const instance of instances) endNow(draft, instance, "its deployment is not recorded any more");
  }
  const waiting: DeploymentId[] = [];
  const fill = (deploymentId: DeploymentId, created: readonly Instance[]): void => {
    const ids = [...(byDeployment.get(deploymentId) ?? []), ...created].map(one => one.id);
    for (const id of fillUntilSettled(draft, settings, deploymentId, ids)) ending.add(id);
  };
  for (const [deploymentId, deployment] of draft.deployments) {
    const instances = byDeployment.get(deploymentId) ?? [];
    if (isSettled(deployment, instances, wantedSlots(draft, settings, deployment, instances))) continue;
    fill(deploymentId, []);
    if (updateWaitOf(draft, deployment) !== undefined) waiting.push(deploymentId);
  }
  // What was ended of one may be all that another one waited for.
  const open = (id: DeploymentId): boolean => updateWaitOf(draft, draft.deployments.get(id)!) === undefined;
  for (let next = waiting.find(open); next !== undefined; next = waiting.find(open)) {
    waiting.splice(waiting.indexOf(next), 1);
    const created = draft.changes.flatMap(one => (one.kind === "create-instance" ? [one.instance] : []));
    fill(
      next,
      created.filter(one => one.deploymentId === next),
    );
  }
  return ending;
}

/**
 * Whether every wanted slot has one instance of the wanted release and nothing else is there: most
 * are, most of the time.
 */
function isSettled(deployment: Deployment, instances: readonly Instance[], { count, of }: WantedSlots): boolean {
  if (deployment.desired !== "run" || instances.length !== count) return false;
  if (of !== undefined && instances.some(one => !of.has(one.slot))) return false;
  for (const { desired, release } of instances) if (desired !== "run" || release !== deployment.release) return false;
  return instances.length < 2 || new Set(instances.map(one => one.slot)).size === instances.length;
}

function wantedSlots(
  draft: Draft,
  settings: Settings,
  deployment: Deployment,
  instances: readonly Instance[],
): WantedSlots {
  const release = findRelease(draft, deployment.id, deployment.release);
  if (release === undefined || !isGlobal(release.spec))
    return { count: deployment.replicas, of: undefined, open: undefined };
  const { wanted, open } = nodeSlots(draft, settings, release, instances);
  return { count: wanted.size, of: wanted, open };
}

// What one round ends or makes can be what the next one looks at. Two rounds settle nearly
// everything.
const MOST_ROUNDS = 10;

function fillUntilSettled(
  draft: Draft,
  settings: Settings,
  deploymentId: DeploymentId,
  ids: InstanceId[],
): ReadonlySet<InstanceId> {
  let ending = new Set<InstanceId>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = draft.changes.length;
    const instances = ids.flatMap(id => draft.instances.get(id) ?? []);
    ending = new Set();
    fillOne(draft, settings, draft.deployments.get(deploymentId)!, instances, ending);
    if (draft.changes.length === before) break;
    for (const change of draft.changes.slice(before))
      if (change.kind === "create-instance") ids.push(change.instance.id);
  }
  return ending;
}

function fillOne(
  draft: Draft,
  settings: Settings,
  deployment: Deployment,
  instances: readonly Instance[],
  ending: Set<InstanceId>,
): void {
  if (deployment.desired !== "run") {
    const because = deployment.desired === "deleted" ? "the deployment was deleted" : "the deployment was stopped";
    for (const instance of instances) endNow(draft, instance, because);
    return;
  }
  const end = (instance: Instance, because: string): void => {
    ending.add(instance.id);
    endGently(draft, settings, instance, because);
  };
  const slots = slotsOf(draft, deployment, instances);
  const wanted = wantedSlots(draft, settings, deployment, instances);
  const { kept, surplus } = splitSurplus(draft, slots, wanted);
  const because = wanted.of === undefined ? `only ${wanted.count} replicas are wanted` : "its node is not to run it";
  for (const slot of surplus) for (const instance of [...slot.fresh, ...slot.old]) end(instance, because);
  for (const slot of kept) endDuplicates(draft, slot, end);
  const waiting = createMissing(draft, deployment, instances, kept, wanted);
  replaceOld(draft, deployment, instances, kept, waiting, wanted.open, end);
}

/**
 * A slot holds one instance, or an old one and its replacement: what is more ends, and so does what
 * was replaced.
 */
function endDuplicates(draft: Draft, { fresh, old }: Slot, end: (instance: Instance, because: string) => void): void {
  if (old.length === 0 && fresh.length < 2) return;
  for (const instance of fresh.slice(1)) end(instance, "another instance holds its slot");
  const replaced = fresh[0] !== undefined && isInstanceUp(draft, fresh[0]);
  for (const instance of replaced ? old : old.slice(1)) end(instance, "a newer release serves in its slot");
}

/**
 * Creates instances for empty slots. Under stop-first a slot whose old instance is still going
 * waits for it. Answers in how many slots nothing serves for that reason.
 */
function createMissing(
  draft: Draft,
  deployment: Deployment,
  instances: readonly Instance[],
  kept: readonly Slot[],
  wanted: WantedSlots,
): number {
  const missing = Math.max(0, wanted.count - kept.length);
  const taken = new Set(kept.map(slot => slot.slot));
  const leaving = new Set<number>();
  if (missing > 0 && orderOf(draft, deployment) === "stop-first") {
    for (const instance of instances) {
      const isFree = !taken.has(instance.slot) && wanted.of?.has(instance.slot) !== false;
      if (isFree && instance.desired === "stop" && hasLiveLocation(draft, instance)) leaving.add(instance.slot);
    }
  }
  const waiting = Math.min(missing, leaving.size);
  const room = concurrencyLeft(draft, deployment, kept) - waiting;
  const count = Math.max(0, Math.min(missing - waiting, room));
  const free = freeSlots([...taken, ...leaving], count, wanted);
  for (const slot of free) markFirstStart(draft, create(draft, deployment.id, slot), instances);
  return waiting + free.length;
}

/** How many more instances of a job may run at once; no bound for what is no job. */
function concurrencyLeft(draft: Draft, deployment: Deployment, kept: readonly Slot[]): number {
  const spec = findRelease(draft, deployment.id, deployment.release)?.spec;
  if (spec === undefined || !isJob(spec)) return Infinity;
  const most = spec.job?.maxConcurrent ?? Infinity;
  return most - kept.filter(({ fresh, old }) => isBusy(draft, (fresh[0] ?? old[0])!)).length;
}

/** Whether the instance is still to serve, or to end where it is of a job. */
function isBusy(draft: Draft, instance: Instance): boolean {
  const spec = releaseOf(draft, instance)?.spec;
  if (spec === undefined || !isJob(spec)) return !isInstanceUp(draft, instance);
  const current = currentOf(instance, locationsOf(draft, instance.id));
  return current === undefined || !isDone(draft, instance, current);
}

/**
 * Replaces instances of old releases, as many at once as the update policy says, those that do not
 * serve first.
 */
function replaceOld(
  draft: Draft,
  deployment: Deployment,
  instances: readonly Instance[],
  kept: readonly Slot[],
  waiting: number,
  open: WantedSlots["open"],
  end: (instance: Instance, because: string) => void,
): void {
  if (kept.every(slot => slot.old.length === 0)) return;
  const stopFirst = orderOf(draft, deployment) === "stop-first";
  const because = `release ${deployment.release} replaces it`;
  let busy = waiting;
  const due: { readonly slot: number; readonly instance: Instance; readonly old: readonly Instance[] }[] = [];
  for (const { slot, fresh, old } of kept) {
    const [instance] = old;
    if (fresh[0] !== undefined) busy += isBusy(draft, fresh[0]) ? 1 : 0;
    else if (instance === undefined || open?.has(slot) === false) continue;
    else if (stopFirst && isRetiring(draft, instance)) {
      busy += 1;
      end(instance, because);
    } else due.push({ slot, instance, old });
  }
  if (due.length > 0 && updateWaitOf(draft, deployment) !== undefined) return;
  const parallelism = parallelismOf(draft, deployment);
  due.sort(
    (a, b) =>
      Number(isInstanceServing(draft, a.instance)) - Number(isInstanceServing(draft, b.instance)) || a.slot - b.slot,
  );
  for (const { slot, instance, old } of due.slice(0, Math.max(0, parallelism - busy))) {
    if (stopFirst) end(instance, because);
    // An older one may still run that an update before this one was to replace.
    if (!stopFirst || !old.some(one => hasLiveLocation(draft, one)))
      markFirstStart(draft, create(draft, deployment.id, slot), instances);
  }
}

function create(draft: Draft, deploymentId: string, slot: number): Instance {
  const { tenantId, nextSerial, release } = draft.deployments.get(deploymentId)!;
  const instance: Instance = {
    id: instanceIdOf(deploymentId, nextSerial),
    tenantId,
    deploymentId,
    release,
    slot,
    epoch: 0,
    desired: "run",
    createdAt: draft.now,
    refusal: undefined,
    retryAt: undefined,
  };
  record(draft, { kind: "create-instance", serial: nextSerial, instance });
  return instance;
}

/**
 * Where only one copy may run, by the wanted release or one still in use, the old one leaves first.
 * So it does in a job, whose next run is not to work beside the one before.
 */
function orderOf(draft: Draft, deployment: Deployment): "start-first" | "stop-first" {
  const releases = draft.releases.get(deployment.id) ?? [];
  if (releases.some(({ spec }) => isSingle(spec) || isJob(spec))) return "stop-first";
  return findRelease(draft, deployment.id, deployment.release)?.spec.update.order ?? "start-first";
}

/** As in Swarm, a parallelism of 0 replaces all at once. A job has a bound of its own. */
function parallelismOf(draft: Draft, deployment: Deployment): number {
  const spec = findRelease(draft, deployment.id, deployment.release)?.spec;
  if (spec !== undefined && isJob(spec)) return spec.job?.maxConcurrent ?? Infinity;
  const wanted = spec?.update.parallelism ?? 1;
  return wanted <= 0 ? Infinity : wanted;
}
