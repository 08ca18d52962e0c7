import type { DeploymentSpec } from "./deployment.ts";
import type { InstanceId, PortBinding } from "./instance.ts";
import type { Availability, NodeId } from "./node.ts";
import type { TenantId } from "./tenant.ts";

/** One instance that a node is told about. */
export interface AssignedInstance {
  readonly instanceId: InstanceId;
  readonly tenantId: TenantId;
  readonly epoch: number;
  readonly release: number;
  readonly slot: number;
  /** `run` it (a retiring one still runs), or `stop` it: end it, remove it, and report it gone. */
  readonly desired: "run" | "stop";
  readonly ports: readonly PortBinding[];
  readonly spec: DeploymentSpec;
}

/**
 * Everything one node is told to run. Nothing is removed because it is missing here: what must go is named with
 * `stop`, or in `removals`; an empty or wrong assignment therefore kills nothing.
 */
export interface Assignment {
  readonly nodeId: NodeId;
  /** Term of the leader that made it; an agent refuses a lower one. */
  readonly term: number;
  /** Grows with every change for this node; an agent refuses a lower one of the same term. */
  readonly revision: number;
  /** What Swarm's operator asked of the node: a drained agent stays until its containers are gone. */
  readonly availability: Availability;
  readonly instances: readonly AssignedInstance[];
  /** Strangers that bear our labels but that no record explains: remove them. */
  readonly removals: readonly Removal[];
}

/** A container group that must be removed: all of this instance at this epoch. */
export interface Removal {
  readonly instanceId: InstanceId;
  readonly epoch: number;
  readonly because: string;
}
