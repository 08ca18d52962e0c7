import type { ContainerStatus, Health, InstanceId, InstanceState, PortBinding } from "@skep/core/model/instance.ts";
import type { Labels } from "@skep/core/model/labels.ts";
import type { Availability, Capacity, NodeId } from "@skep/core/model/node.ts";

/** What a node says of itself when its agent begins a session. */
export interface NodeFacts {
  readonly nodeId: NodeId;
  readonly sessionId: string;
  readonly bootId: string;
  readonly hostname: string;
  readonly address: string;
  readonly os: string;
  readonly architecture: string;
  readonly engineVersion: string;
  readonly engineLabels: Labels;
  readonly capacity: Capacity;
}

/** One instance at one epoch as its agent sees it. */
export interface ReportedStatus {
  readonly instanceId: InstanceId;
  readonly epoch: number;
  readonly state: InstanceState;
  readonly health: Health;
  readonly containers: readonly ContainerStatus[];
  readonly ports: readonly PortBinding[];
  readonly message: string;
}

/** A report of an agent: what changed, or with `full` all that it sees. */
export interface StatusReport {
  readonly nodeId: NodeId;
  readonly sessionId: string;
  readonly seq: number;
  readonly full: boolean;
  readonly statuses: readonly ReportedStatus[];
  /** Instances that are stopped and of which nothing is left on the node. */
  readonly gone: readonly { readonly instanceId: InstanceId; readonly epoch: number }[];
}

/** Resource use of one instance. */
export interface Usage {
  readonly instanceId: InstanceId;
  readonly epoch: number;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** A node as a Swarm manager's engine lists it. */
export interface SwarmNode {
  readonly nodeId: NodeId;
  readonly hostname: string;
  readonly role: "manager" | "worker";
  readonly availability: Availability;
  /** Swarm's own word: ready, down, unknown, disconnected. */
  readonly state: string;
  readonly address: string;
  readonly labels: Labels;
  /** Swarm's version index of the node object. */
  readonly versionIndex: number;
}
