import type { DeploymentId } from "./deployment.ts";
import type { InstanceId } from "./instance.ts";
import type { NodeId } from "./node.ts";
import type { TenantId } from "./tenant.ts";

/** One decision or transition worth showing to a person. */
export interface Decision {
  readonly at: number;
  readonly kind: string;
  readonly tenantId: TenantId | undefined;
  readonly deploymentId: DeploymentId | undefined;
  readonly instanceId: InstanceId | undefined;
  readonly nodeId: NodeId | undefined;
  readonly epoch: number | undefined;
  readonly sentence: string;
}
