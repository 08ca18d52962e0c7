import type { DeploymentSpec } from "./deployment.ts";

/** Whether its instances are to end. */
export function isJob({ mode }: Pick<DeploymentSpec, "mode">): boolean {
  return mode === "replicated-job" || mode === "global-job";
}

/** Whether there is one instance on each node that fits. */
export function isGlobal({ mode }: Pick<DeploymentSpec, "mode">): boolean {
  return mode === "global" || mode === "global-job";
}
