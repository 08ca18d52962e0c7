import type { DeploymentId } from "./deployment.ts";
import type { NodeId } from "./node.ts";
import type { TenantId } from "./tenant.ts";

/** Id of an instance: `<deployment id>.<serial>`, for example `acme.web.7`. */
export type InstanceId = string;

/**
 * The life of a placed instance. It only moves forward along `pending → assigned → preparing →
 * starting → running → stopping → stopped | completed | failed | lost`, except that a container
 * that is started again goes from `running` back to `starting` (its epoch is the same).
 * `completed`: all of its containers have ended with 0, and nothing is to start them again.
 */
export type InstanceState =
  | "pending"
  | "assigned"
  | "preparing"
  | "starting"
  | "running"
  | "stopping"
  | "stopped"
  | "completed"
  | "failed"
  | "lost";

/**
 * What the probe says of a container; `none` where there is no probe. An instance is as well as its
 * worst container.
 */
export type Health = "none" | "starting" | "healthy" | "unhealthy";

/**
 * Why an instance has no node: per filter, how many nodes it removed, and the one change that would
 * help most.
 */
export interface Refusal {
  readonly removed: readonly { readonly filter: string; readonly nodes: number; readonly sentence: string }[];
  readonly advice: string;
}

/** One running copy of a release. */
export interface Instance {
  readonly id: InstanceId;
  readonly tenantId: TenantId;
  readonly deploymentId: DeploymentId;
  readonly release: number;
  /** Which of the replicas it is, from 0; a replacement takes the slot of what it replaces. */
  readonly slot: number;
  /** Number of times it was placed; 0 before the first. It fences older copies. */
  readonly epoch: number;
  readonly desired: "run" | "stop";
  readonly createdAt: number;
  /** Why it is not placed, when it is not. */
  readonly refusal: Refusal | undefined;
  /** No placement before this time; set when placements keep failing. */
  readonly retryAt: number | undefined;
}

/** A container port and the host port of the node that leads to it. */
export interface PortBinding {
  readonly container: string;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp";
  readonly hostPort: number;
}

/**
 * A host port whose last user is over. A stale edge may still send that one's requests there:
 * nobody else gets it yet.
 */
export interface ReleasedPort {
  readonly nodeId: NodeId;
  readonly protocol: "tcp" | "udp";
  readonly hostPort: number;
  /** Whose it was; the deployment itself may have it again at once. */
  readonly deploymentId: DeploymentId;
  /** From when on anybody may have it. */
  readonly freeAt: number;
}

/** One container of a location, as its agent saw it. */
export interface ContainerStatus {
  readonly name: string;
  readonly id: string;
  /** The image's id as the engine has it. */
  readonly imageId: string;
  readonly running: boolean;
  readonly exitCode: number | undefined;
  readonly restarts: number;
}

/**
 * The record of where an instance runs, one per instance and epoch. `desired`, `desiredAt`, `ports`
 * are written by the tick; the rest by `absorb` from the agent's reports.
 */
export interface Location {
  readonly instanceId: InstanceId;
  readonly deploymentId: DeploymentId;
  readonly tenantId: TenantId;
  readonly release: number;
  readonly epoch: number;
  readonly nodeId: NodeId;
  /**
   * `run` and be routed to, `retire`: keep running but take it out of the routes, `stop` and
   * remove.
   */
  readonly desired: "run" | "retire" | "stop";
  /** When `desired` last changed. */
  readonly desiredAt: number;
  readonly ports: readonly PortBinding[];
  readonly state: InstanceState;
  readonly health: Health;
  readonly containers: readonly ContainerStatus[];
  /**
   * One sentence of the agent on what it waits for or what went wrong, with the engine's own words.
   */
  readonly message: string;
  /** When the state last changed, by the scheduler's clock. */
  readonly changedAt: number;
  /**
   * Its address in its tenant's network, as its agent says; absent where it has none. Who goes by
   * it checks that it is one of its node's block.
   */
  readonly address?: string;
}

/** An instance with its locations, newest epoch first. */
export interface InstanceRecord {
  readonly instance: Instance;
  readonly locations: readonly Location[];
}
