import type { DeploymentId } from "../model/deployment.ts";
import { deploymentIdOf } from "../model/instance-id.ts";
import type { TenantId } from "../model/tenant.ts";
import type { WorkspaceId } from "./connector.ts";

/** Where the broker of a pod listens, in the pod. */
export const POD_MQTT_PORT = 1883;

/** Name of the deployment that is the pod of a standalone workspace. */
export function podName(workspaceId: WorkspaceId): string {
  return `ws-${workspaceId}`;
}

/** Its id. */
export function podId(tenantId: TenantId, workspaceId: WorkspaceId): DeploymentId {
  return deploymentIdOf(tenantId, podName(workspaceId));
}
