/**
 * What kind of fleet is wanted. `name` is 1 to 10 lower-case letters and digits. `fresh` (true by
 * default) forgets the swarm, containers, networks and volumes of the fleet's former run; image
 * layers stay in any case. `onStep` is told of each finished step and how long it took.
 */
export interface FleetOptions {
  readonly name: string;
  readonly nodes: number;
  readonly managers: number;
  readonly fresh?: boolean;
  readonly onStep?: (text: string, ms: number) => void;
}

/** One node: a Docker engine with an address, a namespace and a hostname (`name`) of its own. */
export interface FleetNode {
  readonly name: string;
  readonly address: string;
  /** The engine's socket, as a path of the host. */
  readonly socket: string;
  readonly role: "manager" | "worker";
  readonly swarmId: string;
}

/**
 * A running Swarm of several engines on this machine. Nodes are reachable from the host at their
 * addresses.
 */
export interface Fleet {
  readonly name: string;
  /** "10.77.N.0/24" */
  readonly subnet: string;
  /** The address by which nodes and containers reach this host. */
  readonly hostAddress: string;
  /** Where host and nodes push to and pull from: "10.77.N.1:5000". */
  readonly registry: string;
  readonly nodes: readonly FleetNode[];
}
