import { DeploymentDesired } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type { Deployment } from "@skep/api/gen/skep/v1/deployment_pb.ts";

/** One word for how a deployment is: running, stopped, leaving, converging, or troubled. */
export function condition(deployment: Deployment): string {
  const { status, desired } = deployment;
  if (desired === DeploymentDesired.DELETED) return "leaving";
  if (status?.converged === true) return desired === DeploymentDesired.STOPPED ? "stopped" : "running";
  return (status?.troubles.length ?? 0) > 0 ? "troubled" : "converging";
}
