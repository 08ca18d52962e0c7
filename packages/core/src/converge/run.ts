import { deploymentOf } from "../model/instance-id.ts";
import { stepKey } from "./step.ts";
import { LEASE_GRACE_MS } from "../model/lease.ts";
import { isLeased, isSingle } from "../model/volume.ts";
import type { AssignedInstance } from "../model/assignment.ts";
import type { ContainerSpec } from "../model/deployment.ts";
import type { ContainerStatus, Health, InstanceState } from "../model/instance.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { endContainer, runs, stopContainer, stopNow } from "./end.ts";
import { convergePart } from "./part.ts";
import type { PartState } from "./part.ts";
import { hasSandbox, networkFault } from "./ready.ts";
import { leaseOf, recall, remember } from "./round.ts";
import type { Round } from "./round.ts";
import { convergeSandbox, wantedSandbox } from "./sandbox.ts";
import { containerHash } from "./spec-hash.ts";
import { worseHealth } from "./status.ts";
import type { InstanceStatus } from "./status.ts";

/** Brings an instance that is wanted a step closer to running. */
export function runInstance(
  round: Round,
  instance: AssignedInstance,
  group: readonly ObservedContainer[],
): InstanceStatus {
  if (isLeased(instance.spec)) {
    const lease = leaseOf(round, instance);
    if (lease?.held !== true) return withoutLease(round, instance, group, lease?.since);
  }
  const other = isSingle(instance.spec) && !group.some(runs) ? otherCopy(round, instance) : undefined;
  if (other !== undefined) return waitsFor(round, instance, group, other);
  const isPod = hasSandbox(round, instance.spec);
  const sandbox = isPod ? choose(group, "sandbox", "", wantedSandbox(round, instance)) : undefined;
  const apps = instance.spec.containers.map(container => ({
    container,
    seen: choose(group, "app", container.name, containerHash(instance, container, sandbox?.id)),
  }));
  const wanted = new Set([sandbox, ...apps.map(app => app.seen)]);
  for (const container of group) {
    if (!wanted.has(container))
      endContainer(round, container, instance.spec.stopGraceMs, "nothing in the spec asks for it");
  }
  const parts = givenUp(round, instance) ?? convergeParts(round, instance, sandbox, apps, group);
  const state = stateOf(parts);
  if (state === "failed") {
    // The rest of a pod that is given up must not go on serving; what ended stays, with its logs.
    for (const container of group) {
      if (runs(container)) stopContainer(round, container, instance.spec.stopGraceMs, "its instance failed");
    }
  }
  return {
    instanceId: instance.instanceId,
    epoch: instance.epoch,
    state,
    health: parts.map(part => part.health).reduce<Health>(worseHealth, "none"),
    containers: containerStatuses(round, instance, group),
    message: [...new Set([...parts.map(part => part.message), networkFault(round, instance) ?? ""])]
      .filter(message => message !== "")
      .join("; "),
    ports: instance.ports,
    stranger: false,
  };
}

/** An exclusive copy that may not run: what runs of it ends, and nothing is begun. */
function withoutLease(
  round: Round,
  instance: AssignedInstance,
  group: readonly ObservedContainer[],
  since: number | undefined,
): InstanceStatus {
  const { instanceId, epoch, ports, spec } = instance;
  const message =
    since === undefined
      ? "it waits for its lease"
      : `stopped by its agent: its lease could not be renewed since ${new Date(since).toISOString()}`;
  for (const container of group) {
    if (runs(container)) stopNow(round, container, Math.min(spec.stopGraceMs, LEASE_GRACE_MS), message);
  }
  const state = group.length === 0 ? "preparing" : "starting";
  const containers = containerStatuses(round, instance, group);
  return { instanceId, epoch, state, health: "none", containers, message, ports, stranger: false };
}

/**
 * A copy of the same deployment that has not ended on this node: of a single one no second is
 * started beside it.
 */
function otherCopy(round: Round, { instanceId, epoch }: AssignedInstance): ObservedContainer | undefined {
  const deploymentId = deploymentOf(instanceId);
  return round.input.observed.containers.find(
    one =>
      one.deploymentId === deploymentId &&
      one.role === "app" &&
      (one.instanceId !== instanceId || one.epoch !== epoch) &&
      (runs(one) || round.inFlight.has(stepKey.start(one.id))),
  );
}

function waitsFor(
  round: Round,
  instance: AssignedInstance,
  group: readonly ObservedContainer[],
  other: ObservedContainer,
): InstanceStatus {
  const { instanceId, epoch, ports } = instance;
  const message = `only one copy may run, and ${other.instanceId} at epoch ${other.epoch} has not ended here yet`;
  const containers = containerStatuses(round, instance, group);
  return { instanceId, epoch, state: "preparing", health: "none", containers, message, ports, stranger: false };
}

function convergeParts(
  round: Round,
  instance: AssignedInstance,
  sandbox: ObservedContainer | undefined,
  apps: readonly { readonly container: ContainerSpec; readonly seen: ObservedContainer | undefined }[],
  group: readonly ObservedContainer[],
): readonly PartState[] {
  if (hasSandbox(round, instance.spec)) {
    const network = convergeSandbox(round, instance, sandbox, group);
    if (!network.ready) return [network.state];
  }
  return apps.map(({ container, seen }) => convergePart(round, instance, container, seen, sandbox?.id));
}

/**
 * What is left to say of an instance of which a container was given up before: nothing of it is
 * started again.
 */
function givenUp(round: Round, instance: AssignedInstance): readonly PartState[] | undefined {
  const names = instance.spec.containers.map(({ name }) => name);
  if (hasSandbox(round, instance.spec)) names.unshift("");
  const memories = names.map(name => ({ name, memory: remember(round, instance, name, {}) }));
  if (!memories.some(({ memory }) => memory.failed)) return undefined;
  return memories
    .filter(({ memory }) => memory.failed)
    .map(({ name, memory }) => ({
      phase: "failed",
      health: "none",
      message: `${name || "the pod"} is given up: ${memory.reason}`,
    }));
}

/** The containers of a group as statuses, by name. */
export function containerStatuses(
  round: Round,
  instance: AssignedInstance | undefined,
  group: readonly ObservedContainer[],
): readonly ContainerStatus[] {
  return [...group].sort(byNameAndId).map(({ id, name, imageId, state, exitCode }) => ({
    name,
    id,
    imageId,
    running: state === "running",
    exitCode,
    restarts: instance === undefined ? 0 : recall(round, instance, name).restarts,
  }));
}

function stateOf(parts: readonly PartState[]): InstanceState {
  const has = (phase: PartState["phase"]): boolean => parts.some(part => part.phase === phase);
  if (has("failed")) return "failed";
  if (has("waiting")) return "assigned";
  if (has("preparing")) return "preparing";
  if (has("starting")) return "starting";
  return has("running") ? "running" : "completed";
}

/**
 * The container of a name that is kept where there are several: one that was made from this spec,
 * runs, and is newest.
 */
function choose(
  group: readonly ObservedContainer[],
  role: ObservedContainer["role"],
  name: string,
  specHash: string,
): ObservedContainer | undefined {
  const worth = (one: ObservedContainer): number => (one.specHash === specHash ? 2 : 0) + (runs(one) ? 1 : 0);
  return group
    .filter(one => one.role === role && (role === "sandbox" || one.name === name))
    .sort((a, b) => worth(b) - worth(a) || b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1))[0];
}

function byNameAndId(a: ObservedContainer, b: ObservedContainer): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
