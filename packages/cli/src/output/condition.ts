import { DeploymentDesired } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type { Deployment, Trouble } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { DEPENDS_ON } from "@skep/core/model/waiting.ts";

/**
 * One word for how a deployment is: running, completed, stopped, leaving, converging, waiting for
 * another one, or troubled.
 */
export function condition(deployment: Deployment): string {
  const { status, desired } = deployment;
  if (desired === DeploymentDesired.DELETED) return "leaving";
  if (status?.converged === true) {
    if (desired === DeploymentDesired.STOPPED) return "stopped";
    return status.completed > 0 && status.healthy === 0 ? "completed" : "running";
  }
  const troubles = status?.troubles ?? [];
  if (troubles.length === 0) return "converging";
  return troubles.every(isWaiting) ? "waiting" : "troubled";
}

/** Whether it is another deployment that is waited for: nothing is wrong then. */
export function isWaiting({ refusal }: Trouble): boolean {
  return refusal?.removed.some(one => one.filter === DEPENDS_ON) === true;
}
