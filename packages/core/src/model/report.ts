import type { ContainerStatus, Health, InstanceId, InstanceState, PortBinding } from "./instance.ts";
import type { Labels } from "./labels.ts";
import type { Availability, Capacity, NodeId } from "./node.ts";

/** What a node says of itself when its agent begins a session; the node id is Swarm's. */
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
  /** The block out of which its instances have their addresses; absent where they have none. */
  readonly block?: string;
}

/** One instance at one epoch as its agent sees it. */
export interface ReportedStatus {
  readonly instanceId: InstanceId;
  readonly epoch: number;
  readonly state: InstanceState;
  readonly health: Health;
  /** Its containers, by name; a pod's sandbox has the name `""`. */
  readonly containers: readonly ContainerStatus[];
  readonly ports: readonly PortBinding[];
  /** What it waits for or what went wrong, with the engine's own words. */
  readonly message: string;
  /** Its address in its tenant's network; absent where it has none. One epoch has one address. */
  readonly address?: string;
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
  /** Swarm's version index of the node object; a lower one is older news. */
  readonly versionIndex: number;
}
