import type { DeploymentId } from "../model/deployment.ts";
import type { InstanceId } from "../model/instance.ts";

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
