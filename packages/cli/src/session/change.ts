import { randomUUID } from "node:crypto";
import { DeploymentSchema } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type { Deployment } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { listJson } from "../output/print.ts";
import { inParallel } from "./in-parallel.ts";
import { deploymentId } from "./names.ts";
import type { Session } from "./open.ts";

/** A fresh key, under which the platform answers a repetition of the same request alike. */
export function newKey(): string {
  return randomUUID();
}

/** What a mutation of one deployment is sent. */
export interface ChangeRequest {
  readonly deploymentId: string;
  readonly idempotencyKey: string;
}

/**
 * Makes the same change to each named deployment and says so for each; failures as `inParallel` has
 * them.
 */
export async function changeEach(
  session: Session,
  names: readonly string[],
  change: (request: ChangeRequest, name: string) => Promise<{ readonly deployment?: Deployment | undefined }>,
  say: (id: string, deployment: Deployment | undefined) => string,
): Promise<readonly Deployment[]> {
  const done = await inParallel(names, async name => {
    const id = deploymentId(session, name);
    const { deployment } = await change({ deploymentId: id, idempotencyKey: newKey() }, name);
    if (!session.json) session.io.out(`${say(id, deployment)}\n`);
    return deployment;
  });
  const changed = done.filter(deployment => deployment !== undefined);
  if (session.json) session.io.out(`${JSON.stringify(listJson(DeploymentSchema, changed), undefined, 2)}\n`);
  return changed;
}
