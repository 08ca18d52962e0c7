import { record } from "../world/change.ts";
import { findRelease, type Draft } from "../world/draft.ts";
import { deploymentIn, instancesIn } from "../world/records-of.ts";
import { deploymentIdOf } from "../model/instance-id.ts";
import type { Dependency, Deployment } from "../model/deployment.ts";
import type { Instance, InstanceId, InstanceRecord, Location, Refusal } from "../model/instance.ts";
import { DEPENDS_ON, isWaiting } from "../model/waiting.ts";
import { recordRefusal } from "./refusals.ts";
import { currentOf, isCompleted, isServing } from "../model/state.ts";

/** Whether the instance was made to wait for another deployment, and was not placed since. */
export function waitsForOthers({ epoch, refusal }: Pick<Instance, "epoch" | "refusal">): boolean {
  return epoch === 0 && isWaiting(refusal);
}

/**
 * Marks an instance that was just made as one that waits, where it is part of its deployment's
 * first start and another deployment is not as it has to be. Only what bears the mark waits, and
 * neither a later copy nor one that lost its node: what was up may be unwell for a moment.
 */
export function markFirstStart(draft: Draft, instance: Instance, mates: readonly Instance[]): void {
  if (mates.some(mate => mate.epoch > 0)) return;
  const refusal = waitOf(draft, instance);
  if (refusal !== undefined) record(draft, { kind: "refuse", instanceId: instance.id, refusal });
}

/**
 * Says of those that wait for others what they wait for, once all else is decided: what was placed
 * or stopped meanwhile is what the next look sees.
 */
export function sayWaits(draft: Draft, ending: ReadonlySet<InstanceId>): void {
  for (const instance of draft.instances.values()) {
    if (instance.desired !== "run" || ending.has(instance.id) || !waitsForOthers(instance)) continue;
    const refusal = waitOf(draft, instance);
    if (refusal !== undefined) recordRefusal(draft, instance, refusal);
  }
}

/** What the instance waits for; `undefined` where it may begin. */
export function waitOf(draft: Draft, { deploymentId, tenantId, release }: Instance): Refusal | undefined {
  const all = findRelease(draft, deploymentId, release)?.spec.dependsOn ?? [];
  return refusalOf(draft, tenantId, all, "it waits");
}

/**
 * What an update waits for: a job has to be through with its latest release before what depends on
 * it is replaced. Whether another deployment is well at the moment plays no part.
 */
export function updateWaitOf(draft: Draft, { id, tenantId, release }: Deployment): Refusal | undefined {
  const all = findRelease(draft, id, release)?.spec.dependsOn ?? [];
  const jobs = all.filter(one => one.condition === "completed");
  return refusalOf(draft, tenantId, jobs, `it runs on, and release ${release} waits`);
}

function refusalOf(draft: Draft, tenantId: string, all: readonly Dependency[], who: string): Refusal | undefined {
  const missing = all.map(one => lackOf(draft, tenantId, one)).filter(one => one !== undefined);
  if (missing.length === 0) return undefined;
  const advice = `${who} for ${missing.join(", and for ")}`;
  return { removed: [{ filter: DEPENDS_ON, nodes: 0, sentence: advice }], advice };
}

const STATES: Readonly<Record<Dependency["condition"], string>> = {
  started: "to start",
  healthy: "to be healthy",
  completed: "to complete",
};

/** What is missing of a dependency, in words that go on after "it waits for". */
function lackOf(draft: Draft, tenantId: string, { name, condition, required }: Dependency): string | undefined {
  const id = deploymentIdOf(tenantId, name);
  const deployment = deploymentIn(draft, id);
  const wait = `${name} ${STATES[condition]}`;
  if (deployment === undefined || deployment.desired === "deleted")
    return required ? `${wait}, which does not exist: deploy it` : undefined;
  if (deployment.desired === "stopped")
    return required ? `${wait}, which is stopped: skep start ${name} begins it` : undefined;
  const copies = instancesIn(draft, id).filter(({ instance }) => instance.desired === "run");
  if (isMet(draft, deployment, condition, copies)) return undefined;
  const hindrance = hindranceOf(deployment, condition, copies);
  if (hindrance === undefined) return wait;
  return required ? `${wait}, ${hindrance}` : undefined;
}

function isMet(
  draft: Draft,
  deployment: Deployment,
  condition: Dependency["condition"],
  copies: readonly InstanceRecord[],
): boolean {
  if (condition === "completed") return areCompleted(deployment, copies);
  return copies.some(({ locations }) =>
    locations.some(one =>
      condition === "healthy"
        ? isServing(one, draft.nodes.get(one.nodeId))
        : one.desired === "run" && (one.state === "running" || one.state === "completed"),
    ),
  );
}

function areCompleted({ replicas, release }: Deployment, copies: readonly InstanceRecord[]): boolean {
  const isDone = ({ instance, locations }: InstanceRecord): boolean => {
    const current = currentOf(instance, locations);
    return instance.release === release && current !== undefined && isCompleted(current);
  };
  return copies.length >= replicas && copies.every(isDone);
}

/** What keeps the dependency from it, where it is not merely on its way. */
function hindranceOf(
  { replicas, release }: Deployment,
  condition: Dependency["condition"],
  copies: readonly InstanceRecord[],
): string | undefined {
  if (replicas === 0) return "which has no replicas";
  for (const { instance, locations } of copies) {
    const current = currentOf(instance, locations);
    if (current === undefined || instance.release !== release) continue;
    const trouble = troubleOf(current, condition);
    if (trouble !== undefined) return `which ${trouble}: see skep ps`;
  }
  return undefined;
}

function troubleOf({ state, health }: Location, condition: Dependency["condition"]): string | undefined {
  if (state === "failed") return "has failed";
  if (state === "completed" && condition === "healthy") return "has ended";
  return health === "unhealthy" && condition === "healthy" ? "is unhealthy" : undefined;
}
