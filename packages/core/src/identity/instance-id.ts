import type { DeploymentId } from "../model/deployment.ts";
import type { InstanceId } from "../model/instance.ts";
import type { TenantId } from "../model/tenant.ts";

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

/** The deployment of an instance's id, also where it was made up for a preview; `""` for what is no id. */
export function deploymentOf(id: InstanceId): DeploymentId {
  return id.slice(0, Math.max(0, id.lastIndexOf(".")));
}

/** The tenant of a deployment's id, `<tenant>.<name>`; `""` for what is no id. */
export function tenantOf(id: DeploymentId): TenantId {
  return id.slice(0, Math.max(0, id.indexOf(".")));
}
