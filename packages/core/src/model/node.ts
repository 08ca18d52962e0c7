import type { Labels } from "./labels.ts";

/** Swarm's node id, for example `z9k2...` (25 characters). */
export type NodeId = string;

/**
 * What an operator asked of the node through Swarm: take work, take no new work, or give all work
 * away.
 */
export type Availability = "active" | "pause" | "drain";

/**
 * What the scheduler believes of the node's agent.
 * `unknown`: no beat yet since this scheduler began to observe. `ready`: beats. `suspect`: silent,
 * no new work. `down`: silent for long and its peers cannot reach it either; its instances are
 * placed elsewhere.
 */
export type Liveness = "unknown" | "ready" | "suspect" | "down";

/** Everything of a node that runs out. */
export interface Capacity {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  /** Most instances on the node. */
  readonly instances: number;
  /** Host ports that the scheduler may hand out on the node, both ends included. */
  readonly portFrom: number;
  readonly portTo: number;
}

/** Measured load of the whole node, as shares of its capacity between 0 and 1. */
export interface NodeLoad {
  readonly cpuShare: number;
  readonly memoryShare: number;
}

/** A Swarm node that runs an agent, as the scheduler knows it. */
export interface Node {
  readonly id: NodeId;
  readonly hostname: string;
  /** The address at which Traefik and peers reach the node's published ports. */
  readonly address: string;
  readonly role: "manager" | "worker";
  readonly availability: Availability;
  readonly liveness: Liveness;
  /** Swarm's node labels (`docker node update --label-add`). */
  readonly labels: Labels;
  /** Labels of the node's own engine (`dockerd --label`). */
  readonly engineLabels: Labels;
  readonly os: string;
  readonly architecture: string;
  readonly engineVersion: string;
  readonly capacity: Capacity;
  readonly load: NodeLoad | undefined;
  /**
   * Number of the latest placement made on this node, of all placements; 0 for never. Round-robin
   * rotates by it.
   */
  readonly lastPlaced: number;
  /** Revision of the assignment that was last sent to the node. */
  readonly assignmentRevision: number;
}
