import type { Issue } from "../error.ts";
import type { ContainerSpec, DeploymentId } from "../model/deployment.ts";
import type { TenantId } from "../model/tenant.ts";

/** What one container's labels are read with. */
export interface LabelContext {
  readonly tenantId: TenantId;
  readonly deploymentId: DeploymentId;
  readonly container: ContainerSpec;
  /** Path of the container in the spec, for issues. */
  readonly path: string;
  readonly kind: "http" | "tcp";
  readonly issues: Issue[];
}
