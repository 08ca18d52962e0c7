import type { DeploymentId } from "../model/deployment.ts";
import { deploymentIdOf } from "../model/instance-id.ts";
import type { TenantId } from "../model/tenant.ts";
import { SkepError } from "../error.ts";
import type { WorkspaceId } from "./connector.ts";

/** Where the broker of a pod listens, in the pod. */
export const POD_MQTT_PORT = 1883;
/** Where its host serves sockets and data. */
export const POD_EVENTS_PORT = 7704;

/** Where its S3 server listens, on the loopback of the pod. */
export const POD_FILES_PORT = 7070;

/** What no deployment of a tenant can begin with: their names have no such character. */
const PREFIX = "ws_";

/** Name of the deployment that is the pod of a standalone workspace. */
export function podName(workspaceId: WorkspaceId): string {
  return PREFIX + workspaceId;
}

/** Its id. */
export function podId(tenantId: TenantId, workspaceId: WorkspaceId): DeploymentId {
  return deploymentIdOf(tenantId, podName(workspaceId));
}

/** The workspace whose pod a deployment is; `undefined` for a tenant's own deployment. */
export function workspaceOfPod(deploymentId: DeploymentId): WorkspaceId | undefined {
  const name = deploymentId.slice(deploymentId.indexOf(".") + 1);
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;
}

/**
 * A pod is the platform's to change. @throws SkepError `failed_precondition` `PLATFORM_DEPLOYMENT`.
 */
export function refusePod(deploymentId: DeploymentId): void {
  const workspaceId = workspaceOfPod(deploymentId);
  if (workspaceId === undefined) return;
  throw new SkepError(
    "failed_precondition",
    "PLATFORM_DEPLOYMENT",
    `Deployment ${deploymentId} is the pod of workspace ${workspaceId}, which the platform makes and keeps; ` +
      `change, stop or delete the workspace: skep workspace show ${workspaceId}.`,
    { details: { deploymentId, workspaceId } },
  );
}
