import type { AssignedInstance, Assignment } from "../model/assignment.ts";
import type { InstanceId, InstanceState } from "../model/instance.ts";
import { LEASE_GRACE_MS } from "../model/lease.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { isLeased } from "../model/volume.ts";
import { endGroup, runs, stopNow } from "./end.ts";
import { keepWarm } from "./warm.ts";
import { byInstance, inFairOrder } from "./fair.ts";
import { keepInstance } from "./keep.ts";
import type { ConvergeMemory } from "./memory.ts";
import { attempt, groupKey, leaseOf, openRound } from "./round.ts";
import type { ConvergeInput, Round } from "./round.ts";
import { containerStatuses, runInstance } from "./run.ts";
import { worseHealth } from "./status.ts";
import type { InstanceStatus } from "./status.ts";
import { stepKey } from "./step.ts";
import type { Step } from "./step.ts";

/**
 * What is to be done now, what is to be reported, what to remember, and when to look again though
 * nothing happens.
 */
export interface Converged {
  readonly steps: readonly Step[];
  readonly statuses: readonly InstanceStatus[];
  readonly memory: ConvergeMemory;
  readonly wakeAt: number | undefined;
  /**
   * Whether something waits only for its turn: then the end of a create or of a start is a reason
   * to ask again.
   */
  readonly isTurnAwaited: boolean;
}

/**
 * One node's assignment against what its engine runs, to steps. The steps of one answer may be done
 * at the same time: what has to wait for another is left to the next call, so no instance holds up
 * another. Nothing is touched that neither an instance of the assignment nor one of its removals
 * names.
 */
export function converge(input: ConvergeInput): Converged {
  const round = openRound(input);
  const statuses: InstanceStatus[] = [];
  const seen = new Set<string>();
  const instances = input.assignment?.instances ?? [];
  const newest = newestEpochs(instances);
  for (const instance of inFairOrder(round, instances)) {
    const key = groupKey(instance.instanceId, instance.epoch);
    if (seen.has(key)) continue;
    seen.add(key);
    const group = round.groups.get(key) ?? [];
    const isOld = instance.epoch < newest.get(instance.instanceId)!;
    if (instance.desired === "run" && !isOld) statuses.push(runInstance(round, instance, group));
    else if (instance.desired === "keep" && !isOld) statuses.push(keepInstance(round, instance, group));
    else
      statuses.push(
        endInstance(
          round,
          instance,
          group,
          isOld ? "a newer placement of it is assigned here" : "it is not wanted any more",
        ),
      );
  }
  statuses.sort(byInstance);
  for (const [key, group] of [...round.groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!seen.has(key)) statuses.push(unlisted(round, group, newest));
  }
  removeIdleNetworks(round, instances);
  removeVolumes(round);
  keepWarm(round);
  return {
    steps: round.steps,
    statuses,
    memory: { containers: round.containers, tries: recentTries(input), exitedAtBoot: exitedStill(input) },
    wakeAt: round.wakeAt === Infinity ? undefined : round.wakeAt,
    isTurnAwaited: round.isTurnAwaited,
  };
}

function endInstance(
  round: Round,
  instance: AssignedInstance,
  group: readonly ObservedContainer[],
  because: string,
): InstanceStatus {
  const { stopGraceMs } = instance.spec;
  if (isLeased(instance.spec) && leaseOf(round, instance)?.held !== true) {
    // Its next copy does not wait for its own grace.
    const graceMs = Math.min(stopGraceMs, LEASE_GRACE_MS);
    for (const container of group) if (runs(container)) stopNow(round, container, graceMs, because);
    if (!group.some(runs)) endGroup(round, group, graceMs, because);
  } else endGroup(round, group, stopGraceMs, because);
  const creating = [...round.inFlight].some(key =>
    key.startsWith(stepKey.create(instance.instanceId, instance.epoch, "")),
  );
  return {
    instanceId: instance.instanceId,
    epoch: instance.epoch,
    state: group.length === 0 && !creating ? "stopped" : "stopping",
    health: "none",
    containers: containerStatuses(round, undefined, group),
    message: because,
    ports: instance.ports,
    stranger: false,
  };
}

// How long a container may take that nobody has a spec for any more.
const UNKNOWN_GRACE_MS = 10_000;

const UNLEASED = "no assignment names it, and its copy has no lease: it is stopped, and not removed";

/**
 * Containers that no assigned instance explains: ended where a removal or a newer epoch says so,
 * else only reported. One that may run only by a lease is stopped when that is refused or has
 * ended: another copy may run elsewhere by now. While its lease is asked for it runs on.
 */
function unlisted(
  round: Round,
  group: readonly ObservedContainer[],
  newest: ReadonlyMap<InstanceId, number>,
): InstanceStatus {
  const { instanceId, epoch } = group[0]!;
  const removal = round.input.assignment?.removals.find(one => one.instanceId === instanceId && one.epoch === epoch);
  const isOld = epoch < (newest.get(instanceId) ?? -1);
  const because = removal?.because ?? (isOld ? "a newer placement of it is assigned here" : undefined);
  const lease = leaseOf(round, group[0]!);
  const isEnded = group.some(one => one.isExclusive) && lease?.held === false;
  if (isEnded && group.some(runs)) {
    for (const container of group) if (runs(container)) stopNow(round, container, LEASE_GRACE_MS, because ?? UNLEASED);
  } else if (because !== undefined) endGroup(round, group, UNKNOWN_GRACE_MS, because);
  return {
    instanceId,
    epoch,
    state: because === undefined ? strangerState(group) : "stopping",
    health: group.map(container => container.engineHealth).reduce(worseHealth, "none"),
    containers: containerStatuses(round, undefined, group),
    message: because ?? (isEnded ? UNLEASED : "no assignment names it: it is left alone"),
    ports: group.flatMap(container => container.ports),
    stranger: because === undefined,
  };
}

function strangerState(group: readonly ObservedContainer[]): InstanceState {
  if (group.every(container => container.state === "running")) return "running";
  // Without a lease it is its agent that stops it.
  const apps = group.some(one => one.isExclusive) ? [] : group.filter(one => one.role === "app");
  if (apps.length > 0 && apps.every(one => one.state === "exited" && one.exitCode === 0)) return "completed";
  return group.some(container => container.state === "running") ? "starting" : "stopped";
}

/**
 * Networks of tenants that have nothing here any more. Without an assignment nobody can tell, so
 * they stay.
 */
function removeIdleNetworks(round: Round, instances: readonly AssignedInstance[]): void {
  if (round.input.assignment === undefined) return;
  const busy = new Set([...instances, ...round.input.observed.containers].map(one => one.tenantId));
  for (const { name, tenantId } of round.input.observed.networks) {
    if (!busy.has(tenantId))
      attempt(round, { kind: "remove-network", key: stepKey.removeNetwork(name), name, tenantId });
  }
}

/**
 * Volumes that were given up, by name and serial. One that a container still has refuses, and is
 * tried again.
 */
function removeVolumes(round: Round): void {
  for (const volume of round.input.assignment?.volumeRemovals ?? []) {
    const found = round.input.observed.volumes.find(
      one => one.owner === volume.owner && one.name === volume.name && one.serial === volume.serial,
    );
    if (found === undefined) continue;
    const name = found.engineName;
    attempt(round, { kind: "remove-volume", key: stepKey.removeVolume(name), name, volume });
  }
}

function newestEpochs(instances: Assignment["instances"]): ReadonlyMap<InstanceId, number> {
  const newest = new Map<InstanceId, number>();
  for (const { instanceId, epoch } of instances) newest.set(instanceId, Math.max(epoch, newest.get(instanceId) ?? 0));
  return newest;
}

// Far longer than the longest wait between two tries: what nobody tries any more is forgotten after
// it.
const TRIES_KEPT_MS = 600_000;

function recentTries({ memory, now }: ConvergeInput): ConvergeMemory["tries"] {
  return Object.fromEntries(Object.entries(memory.tries).filter(([, tried]) => tried.nextAt > now - TRIES_KEPT_MS));
}

/** What did not run at boot is remembered until it is confirmed or gone. */
function exitedStill(input: ConvergeInput): readonly string[] {
  if (input.confirmed || input.memory.exitedAtBoot.length === 0) return [];
  const there = new Set(input.observed.containers.map(container => container.id));
  return input.memory.exitedAtBoot.filter(id => there.has(id));
}
