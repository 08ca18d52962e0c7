import type { Labels } from "./labels.ts";

/** Swarm's node id, for example `z9k2...` (25 characters). */
export type NodeId = string;

/**
 * What an operator asked of the node through Swarm: take work, take no new work, or give all work
 * away.
 */
export type Availability = "active" | "pause" | "drain";

/**
 * The scheduler's verdict on the node's agent.
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

/**
 * What tenants may do on nodes of the control plane. `avoid`: such a node takes an instance only
 * where no other node can. `never`: it takes none. `allow`: it is a node like any other.
 */
export type TenantsOnManagers = "avoid" | "never" | "allow";

/** The node label by which an operator says whether a node is one of the control plane. */
export const CONTROL_LABEL = "skep.control";

/** The node label that chooses the node of Skep's database: `postgres.replica=1`. */
export const DATABASE_LABEL = "postgres.replica";

/** A Swarm node that runs an agent, as it is recorded. */
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
  /** Stamps of the latest revisions: see `identity/assignment-line.ts`. */
  readonly assignmentStamps: readonly number[];
  /** The addresses of its instances, such as `10.128.16.0/20`; absent until it was given some. */
  readonly block?: string;
  /** The block that its agent works by; absent where it works by none. */
  readonly reportedBlock?: string;
}

/**
 * Whether the node is one of the control plane: a Swarm manager, or the node of the database, by
 * its label. `skep.control=true` or `false` overrides both. All of it comes from the Swarm's list,
 * none of it from the node's own agent.
 */
export function isControlPlane({ role, labels }: Pick<Node, "role" | "labels">): boolean {
  const told = labels[CONTROL_LABEL];
  if (told === "true" || told === "false") return told === "true";
  return role === "manager" || labels[DATABASE_LABEL] === "1";
}
