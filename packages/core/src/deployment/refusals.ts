import { SkepError } from "../error.ts";
import type { Quota } from "../model/tenant.ts";

/** What a tenant's running deployments may use at most, all together. */
export interface Holdings {
  readonly instances: number;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

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
  noTenant: (id: string): SkepError =>
    new SkepError("not_found", "TENANT_NOT_FOUND", `There is no tenant ${id}; create it first.`, {
      details: { tenantId: id },
    }),
  otherProject: (id: string, project: string | undefined): SkepError =>
    new SkepError(
      "failed_precondition",
      "OTHER_PROJECT",
      project === undefined
        ? `Deployment ${id} belongs to no project, and that cannot change: remove it first, or name the project otherwise.`
        : `Deployment ${id} belongs to the project ${project}, and that cannot change: remove it first, or name it otherwise.`,
      { details: { deploymentId: id, project: project ?? "" } },
    ),
  global: (id: string): SkepError =>
    new SkepError(
      "failed_precondition",
      "GLOBAL_MODE",
      `${id} runs once on each node that fits: it has no number of replicas. ` +
        "Say with constraints which nodes fit, or stop it.",
      { details: { deploymentId: id } },
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
  staleProject: (project: string): SkepError =>
    new SkepError(
      "aborted",
      "STALE_PROJECT",
      `The project ${project} was changed meanwhile; read it again and repeat.`,
      { details: { project } },
    ),
  domainTaken: (domain: string): SkepError =>
    new SkepError(
      "failed_precondition",
      "DOMAIN_TAKEN",
      `The domain ${domain} is routed by another tenant; choose another one, or have its owner give it up.`,
      { details: { domain } },
    ),
  domainKept: (domain: string, untilAt: number): SkepError =>
    new SkepError(
      "failed_precondition",
      "DOMAIN_KEPT",
      `The domain ${domain} was another tenant's and is kept for it until ${new Date(untilAt).toISOString()}; choose another one, or wait.`,
      { details: { domain, until: new Date(untilAt).toISOString() } },
    ),
  quota: (id: string, held: Holdings, quota: Quota): SkepError =>
    new SkepError(
      "resource_exhausted",
      "QUOTA_EXCEEDED",
      `Tenant ${id} would hold ${quotaWords(held, quota)}; stop something, lower the limits, or ask for a higher quota.`,
      { details: { tenantId: id } },
    ),
} as const;

/** Which bounds `held` breaks, in words; empty when it breaks none. */
export function quotaWords(held: Holdings, quota: Quota): string {
  const parts: string[] = [];
  const over = (have: number, most: number | undefined, unit: string): void => {
    if (most !== undefined && have > most) parts.push(`${have} of at most ${most} ${unit}`);
  };
  over(held.instances, quota.instances, "instances");
  over(held.cpuMillis, quota.cpuMillis, "thousandths of a core");
  over(held.memoryBytes, quota.memoryBytes, "bytes of memory");
  return parts.join(", ");
}
