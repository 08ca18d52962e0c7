import { deploymentIdOf } from "@skep/core/model/instance-id.ts";
import { create } from "@bufbuild/protobuf";
import { specFromProto, specToProto } from "@skep/api/codec/spec.ts";
import { DeploymentDesired } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type { Deployment } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { DeploymentSpecSchema } from "@skep/api/gen/skep/v1/spec_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { newKey } from "./change.ts";
import type { Session } from "./open.ts";
import { diffSpecs } from "./spec-diff.ts";
import type { Difference } from "./spec-diff.ts";
import { isNotFound, patiently } from "./transient.ts";

/** What became of one service of a file. */
export interface Applied {
  readonly deployment: Deployment;
  readonly change: "created" | "updated" | "scaled" | "started" | "unchanged";
  readonly differences: readonly Difference[];
}

/**
 * Makes the platform want this spec: creates the deployment, or changes what differs, based on the
 * version that was compared. An outage is waited out, up to `forMs`: every request has a key, so
 * that a repetition does no harm.
 */
export async function applySpec(session: Session, spec: DeploymentSpec, forMs: number): Promise<Applied> {
  const deploymentId = deploymentIdOf(session.tenant, spec.name);
  const before = await find(session, deploymentId, forMs);
  if (before === undefined) {
    const request = { tenantId: session.tenant, spec: toMessage(spec), idempotencyKey: newKey() };
    const made = await patiently(session.io, forMs, () => session.api.deployments.createDeployment(request));
    return { deployment: present(made.deployment), change: "created", differences: [] };
  }
  // What is compared has gone the same way as what is recorded, so that nothing differs but what
  // was written.
  const wanted = specFromProto(toMessage(spec));
  const recorded = before.spec === undefined ? wanted : { ...specFromProto(before.spec), replicas: before.replicas };
  const differences = diffSpecs(recorded, wanted);
  const changed = await change(session, before, spec, differences, forMs);
  if (before.desired !== DeploymentDesired.STOPPED)
    return { deployment: changed ?? before, change: wordOf(differences), differences };
  const request = { deploymentId, idempotencyKey: newKey() };
  const started = await patiently(session.io, forMs, () => session.api.deployments.startDeployment(request));
  return {
    deployment: present(started.deployment),
    change: differences.length === 0 ? "started" : wordOf(differences),
    differences,
  };
}

async function change(
  session: Session,
  before: Deployment,
  spec: DeploymentSpec,
  differences: readonly Difference[],
  forMs: number,
): Promise<Deployment | undefined> {
  if (differences.length === 0) return undefined;
  const { deployments } = session.api;
  const base = { deploymentId: before.id, resourceVersion: before.resourceVersion, idempotencyKey: newKey() };
  // Another number of instances needs no new release: nothing that runs has to be replaced.
  const request = (): Promise<{ readonly deployment?: Deployment | undefined }> =>
    isScale(differences)
      ? deployments.scaleDeployment({ ...base, replicas: spec.replicas })
      : deployments.updateDeployment({ ...base, spec: toMessage(spec) });
  return present((await patiently(session.io, forMs, request)).deployment);
}

async function find(session: Session, deploymentId: string, forMs: number): Promise<Deployment | undefined> {
  try {
    const call = () => session.api.deployments.getDeployment({ deploymentId });
    return (await patiently(session.io, forMs, call)).deployment;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function toMessage(spec: DeploymentSpec): ReturnType<typeof create<typeof DeploymentSpecSchema>> {
  return create(DeploymentSpecSchema, specToProto(spec));
}

function wordOf(differences: readonly Difference[]): Applied["change"] {
  if (differences.length === 0) return "unchanged";
  return isScale(differences) ? "scaled" : "updated";
}

function isScale(differences: readonly Difference[]): boolean {
  return differences.length === 1 && differences[0]?.path === "replicas";
}

function present(deployment: Deployment | undefined): Deployment {
  if (deployment !== undefined) return deployment;
  throw new SkepError(
    "internal",
    "EMPTY_ANSWER",
    "The platform answered without the deployment. Is this command newer than the platform?",
  );
}
