import { create } from "@bufbuild/protobuf";
import { specToProto } from "@skep/api/codec/spec.ts";
import type { ApplyProjectResponse } from "@skep/api/gen/skep/v1/project_service_pb.ts";
import { DeploymentSpecSchema } from "@skep/api/gen/skep/v1/spec_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Issue } from "@skep/core/error.ts";
import { newKey } from "./change.ts";
import { asIssue } from "./compose-file.ts";
import type { ReadProject } from "./compose-file.ts";
import type { Session } from "./open.ts";
import { patiently } from "./transient.ts";

/** How a project is to be applied. */
export interface ApplyOptions {
  readonly prune?: boolean;
  readonly dryRun?: boolean;
}

/**
 * Makes the platform want a project: all of it or nothing. An outage is waited out, up to `forMs`:
 * a repetition has the same key and does no harm.
 * @throws SkepError with the places in the files of all that the platform refuses.
 */
export async function applyProject(
  session: Session,
  read: ReadProject,
  { prune = false, dryRun = false }: ApplyOptions,
  forMs: number,
): Promise<ApplyProjectResponse> {
  const request = {
    tenantId: session.tenant,
    project: read.project,
    specs: read.deployments.map(spec => create(DeploymentSpecSchema, specToProto(spec))),
    keep: [...read.others],
    prune,
    dryRun,
    idempotencyKey: newKey(),
  };
  try {
    return await patiently(session.io, forMs, () => session.api.projects.applyProject(request));
  } catch (error) {
    throw error instanceof SkepError ? withPlaces(error, read) : error;
  }
}

function withPlaces(error: SkepError, read: ReadProject): SkepError {
  const { code, reason, message, details, issues } = error;
  const placed = issues.map((issue): Issue => {
    const [, index, path] = /^specs\[(\d+)\]\.?(.*)$/.exec(issue.path) ?? [];
    const found = index === undefined ? undefined : read.issueAt(Number(index), { ...issue, path: path ?? "" });
    return found === undefined ? issue : asIssue(found);
  });
  return new SkepError(code, reason, message, { details, issues: placed, cause: error });
}
