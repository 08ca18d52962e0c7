import { refuseChange } from "@skep/core/deployment/refusals.ts";
import { SkepError } from "@skep/core/error.ts";

/** Every refusal of the store, in one voice: what is wrong, where, and what to do. */
export const refuse = {
  ...refuseChange,
  tenantExists: (id: string): SkepError =>
    new SkepError("already_exists", "TENANT_EXISTS", `Tenant ${id} exists already; choose another name.`, {
      details: { tenantId: id },
    }),
  tenantInUse: (id: string): SkepError =>
    new SkepError(
      "failed_precondition",
      "TENANT_HAS_DEPLOYMENTS",
      `Tenant ${id} still has deployments; delete them, and wait until they are gone.`,
      { details: { tenantId: id } },
    ),
  tenantHasWorkspaces: (id: string): SkepError =>
    new SkepError(
      "failed_precondition",
      "TENANT_HAS_WORKSPACES",
      `Tenant ${id} still has workspaces; delete them, and wait until they are gone.`,
      { details: { tenantId: id } },
    ),
  workspaceExists: (id: string): SkepError =>
    new SkepError(
      "already_exists",
      "WORKSPACE_EXISTS",
      `There is a workspace ${id} already, here or in another tenant; update it, or choose another id.`,
      { details: { workspaceId: id } },
    ),
  noWorkspace: (id: string): SkepError =>
    new SkepError("not_found", "WORKSPACE_NOT_FOUND", `There is no workspace ${id}; list those that there are.`, {
      details: { workspaceId: id },
    }),
  deploymentExists: (id: string): SkepError =>
    new SkepError(
      "already_exists",
      "DEPLOYMENT_EXISTS",
      `Deployment ${id} exists already; update it, or choose another name.`,
      { details: { deploymentId: id } },
    ),
  noDeployment: (id: string): SkepError =>
    new SkepError("not_found", "DEPLOYMENT_NOT_FOUND", `There is no deployment ${id}; list those that there are.`, {
      details: { deploymentId: id },
    }),
  incarnationChanged: (): SkepError =>
    new SkepError(
      "aborted",
      "INCARNATION_CHANGED",
      "The records were recovered meanwhile; run `skep recover` again to see how they are now.",
    ),
  nodesUnrecorded: (hostnames: readonly string[]): SkepError =>
    new SkepError(
      "failed_precondition",
      "NODES_UNRECORDED",
      `What runs on ${hostnames.join(", ")} cannot be written yet: these nodes have not reported to this database. Their agents are asked for it; run \`skep recover\` again in a few seconds.`,
    ),
  nodesUnanswered: (hostnames: readonly string[]): SkepError =>
    new SkepError(
      "failed_precondition",
      "NODES_UNANSWERED",
      `What runs on ${hostnames.join(", ")} would be left out: these nodes did not answer, and have not been silent for long. Run \`skep recover\` again in a few seconds; one that is to be left out has to be silent, so stop its agent first.`,
    ),
  leaseLost: (term: number): SkepError =>
    new SkepError(
      "aborted",
      "LEASE_LOST",
      `The lease of term ${term} has ended or is another's; nothing was written, and whoever leads now decides anew.`,
    ),
  keyReused: (key: string): SkepError =>
    new SkepError(
      "aborted",
      "IDEMPOTENCY_KEY_REUSED",
      `The idempotency key ${key} was used for another request; use a new key for each new request.`,
      { details: { idempotencyKey: key } },
    ),
  badToken: (): SkepError =>
    new SkepError(
      "invalid_argument",
      "BAD_PAGE_TOKEN",
      "The page token is not one of ours; begin the list anew without one.",
    ),
} as const;
