import type { DeploymentId } from "./deployment.ts";
import type { InstanceId } from "./instance.ts";
import type { TenantId } from "./tenant.ts";

/** The last part of every full name by which instances are found. */
export const NAMES_ZONE = "skep";

/** The id of a tenant's deployment, `<tenant>.<name>`. */
export function deploymentIdOf(tenantId: TenantId, name: string): DeploymentId {
  return `${tenantId}.${name}`;
}

/** The name of a deployment that is a service of a project. */
export function projectDeploymentName(project: string, service: string): string {
  return `${project}-${service}`;
}

/** The id of a deployment's instance, `<deployment>.<serial>`. */
export function instanceIdOf(deploymentId: DeploymentId, serial: number): InstanceId {
  return `${deploymentId}.${serial}`;
}

/** The parts of an instance's id. */
export interface InstanceName {
  readonly deploymentId: DeploymentId;
  readonly serial: number;
}

/** Takes `<deployment>.<serial>` apart; `undefined` where the id is not made so. */
export function parseInstanceId(id: InstanceId): InstanceName | undefined {
  const [, deploymentId, serial] = /^(.+)\.([1-9]\d{0,8})$/.exec(id) ?? [];
  return deploymentId === undefined ? undefined : { deploymentId, serial: Number(serial) };
}

/**
 * The deployment of an instance's id, also where it was made up for a preview; `""` for what is no
 * id.
 */
export function deploymentOf(id: InstanceId): DeploymentId {
  return id.slice(0, Math.max(0, id.lastIndexOf(".")));
}

/** The tenant of a deployment's id, `<tenant>.<name>`; `""` for what is no id. */
export function tenantOf(id: DeploymentId): TenantId {
  return id.slice(0, Math.max(0, id.indexOf(".")));
}
