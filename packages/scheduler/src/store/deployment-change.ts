import { isSingle } from "@skep/core/model/volume.ts";
import type { Deployment, DeploymentSpec, Release } from "@skep/core/model/deployment.ts";
import type { TenantId } from "@skep/core/model/tenant.ts";
import type { DeploymentChange, DeploymentRecord } from "./store.ts";
import { refuse } from "./refusals.ts";

/** A new deployment as its first record. */
export function firstRecord(tenantId: TenantId, spec: DeploymentSpec, now: number): DeploymentRecord {
  const id = `${tenantId}.${spec.name}`;
  const deployment: Deployment = {
    id,
    tenantId,
    name: spec.name,
    desired: "run",
    replicas: spec.replicas,
    release: 1,
    resourceVersion: 1,
    nextSerial: 1,
    createdAt: now,
  };
  return { deployment, release: { deploymentId: id, number: 1, spec } };
}

/**
 * The record after a change. A new spec, or `restart`, makes a new release; a change that changes nothing leaves the
 * resource version alone too.
 * @throws SkepError `aborted` (another version), `failed_precondition` (it is being deleted).
 */
export function changedRecord(
  before: DeploymentRecord,
  change: DeploymentChange,
  expectVersion: number | undefined,
): DeploymentRecord {
  const { deployment, release } = before;
  if (expectVersion !== undefined && expectVersion !== deployment.resourceVersion) {
    throw refuse.staleVersion(deployment.id, expectVersion, deployment.resourceVersion);
  }
  const desired = change.desired ?? deployment.desired;
  if (deployment.desired === "deleted") {
    if (change.desired === "deleted") return before;
    throw refuse.beingDeleted(deployment.id);
  }
  const isNew = change.spec !== undefined || change.restart === true;
  const next: Release = isNew
    ? { deploymentId: deployment.id, number: release.number + 1, spec: change.spec ?? release.spec }
    : release;
  const replicas = change.replicas ?? change.spec?.replicas ?? deployment.replicas;
  if (replicas > 1 && isSingle(next.spec)) throw refuse.single(deployment.id, next.spec.exclusive === true);
  const same =
    !isNew && change.routes === undefined && desired === deployment.desired && replicas === deployment.replicas;
  if (same) return before;
  return {
    deployment: {
      ...deployment,
      desired,
      replicas,
      release: next.number,
      resourceVersion: deployment.resourceVersion + 1,
    },
    release: next,
  };
}

/** What one replica of a spec may use at most: what a quota counts. */
export function footprint(spec: DeploymentSpec): { readonly cpuMillis: number; readonly memoryBytes: number } {
  let cpuMillis = 0;
  let memoryBytes = 0;
  for (const { resources } of spec.containers) {
    cpuMillis += resources.cpuMillis;
    memoryBytes += resources.memoryBytes;
  }
  return { cpuMillis, memoryBytes };
}
