import { deploymentIdOf } from "../model/instance-id.ts";
import { isGlobal } from "../model/mode.ts";
import { isSingle } from "../model/volume.ts";
import type { Deployment, DeploymentRecord, DeploymentSpec, Release } from "../model/deployment.ts";
import type { TenantId } from "../model/tenant.ts";
import type { Route } from "../model/routing.ts";
import { refuseChange } from "./refusals.ts";

/**
 * What a change of a deployment may say; each absent part stays as it is. A new `spec` makes a new
 * release.
 */
export interface DeploymentChange {
  readonly spec?: DeploymentSpec;
  readonly routes?: readonly Route[];
  readonly replicas?: number;
  readonly desired?: "run" | "stopped" | "deleted";
  /** Makes a new release of the same spec, so that every instance is replaced. */
  readonly restart?: boolean;
}

/** A new deployment as its first record. */
export function firstRecord(tenantId: TenantId, spec: DeploymentSpec, now: number): DeploymentRecord {
  const id = deploymentIdOf(tenantId, spec.name);
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
 * The record after a change. A new spec, or `restart`, makes a new release; a change that changes
 * nothing leaves the resource version alone too.
 * @throws SkepError `aborted` (another version), `failed_precondition` (it is being deleted, is of
 * another project, or more copies than its one).
 */
export function changedRecord(
  before: DeploymentRecord,
  change: DeploymentChange,
  expectVersion: number | undefined,
): DeploymentRecord {
  const { deployment, release } = before;
  if (expectVersion !== undefined && expectVersion !== deployment.resourceVersion) {
    throw refuseChange.staleVersion(deployment.id, expectVersion, deployment.resourceVersion);
  }
  const desired = change.desired ?? deployment.desired;
  if (deployment.desired === "deleted") {
    if (change.desired === "deleted") return before;
    throw refuseChange.beingDeleted(deployment.id);
  }
  const { project } = release.spec;
  if (change.spec !== undefined && change.spec.project !== project)
    throw refuseChange.otherProject(deployment.id, project);
  const isNew = change.spec !== undefined || change.restart === true;
  const next: Release = isNew
    ? { deploymentId: deployment.id, number: release.number + 1, spec: change.spec ?? release.spec }
    : release;
  const replicas = change.replicas ?? change.spec?.replicas ?? deployment.replicas;
  if (replicas !== 1 && isGlobal(next.spec)) throw refuseChange.global(deployment.id);
  if (replicas > 1 && isSingle(next.spec)) throw refuseChange.single(deployment.id, next.spec.exclusive === true);
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
