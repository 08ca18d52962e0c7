import { SkepError } from "../error.ts";

/** Why a deployment is not changed: what is wrong, where, and what to do. */
export const refuseChange = {
  single: (id: string, isExclusive: boolean): SkepError =>
    new SkepError(
      "failed_precondition",
      "SINGLE_COPY",
      isExclusive
        ? `${id} is exclusive: at most one copy of it runs. Deploy it without \`exclusive\` first.`
        : `${id} has one replica and a named volume, so that two copies would write to one volume. ` +
            "Where it can bear that, deploy it with more replicas, or with `x-skep: { exclusive: false }`.",
      { details: { deploymentId: id } },
    ),
  otherProject: (id: string, project: string | undefined): SkepError =>
    new SkepError(
      "failed_precondition",
      "OTHER_PROJECT",
      project === undefined
        ? `Deployment ${id} belongs to no project, and that cannot change: remove it first, or name the project otherwise.`
        : `Deployment ${id} belongs to the project ${project}, and that cannot change: remove it first, or name it otherwise.`,
      { details: { deploymentId: id, project: project ?? "" } },
    ),
  beingDeleted: (id: string): SkepError =>
    new SkepError(
      "failed_precondition",
      "DEPLOYMENT_DELETED",
      `Deployment ${id} is being deleted; wait until it is gone, then create it anew.`,
      { details: { deploymentId: id } },
    ),
  staleVersion: (id: string, given: number, current: number): SkepError =>
    new SkepError(
      "aborted",
      "STALE_VERSION",
      `Deployment ${id} is at resource version ${current}, and this change is based on ${given}; read it again and repeat.`,
      { details: { deploymentId: id, currentVersion: String(current) } },
    ),
} as const;
