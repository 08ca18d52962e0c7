import type { Block } from "@skep/core/network/block.ts";
import type { NameTable } from "@skep/core/network/names.ts";

/** What a node's netd is to make, checked: all that is in here can be made as far as it shows. */
export interface NetState {
  readonly sessionId: string;
  readonly revision: number;
  readonly pool: Block;
  readonly node: NetNode;
  readonly peers: readonly NetPeer[];
  readonly attachments: readonly Attachment[];
  readonly remotes: readonly Remote[];
  readonly walls: Walls;
  readonly names: NameTable;
  /** Absent where no peer needs it. */
  readonly vxlan: Vxlan | undefined;
}

/** A node's share of the pool, and where its peers reach it. */
export interface NetNode {
  readonly nodeId: string;
  readonly block: Block;
  readonly address: string;
}

/** How packets get to a peer. */
export type Way = "direct" | "vxlan";

/** Another node. */
export interface NetPeer extends NetNode {
  readonly way: Way;
  readonly moreAddresses: readonly string[];
  readonly published: readonly Port[];
}

/** A transport protocol with ports. */
export type Protocol = "tcp" | "udp";

/** A port of a node. */
export interface Port {
  readonly protocol: Protocol;
  readonly port: number;
}

/** Which copy of an instance is meant. */
export interface Copy {
  readonly instanceId: string;
  readonly epoch: number;
}

/** A sandbox that is to be in the network. */
export interface Attachment extends Copy {
  readonly tenantId: string;
  readonly address: string;
  readonly netns: string;
  readonly networks: readonly number[];
  /** Whether it may leave its networks at all. */
  readonly isInternal: boolean;
  readonly published: readonly Published[];
}

/** A port of the node that leads to one of an instance. */
export interface Published {
  readonly protocol: Protocol;
  readonly hostPort: number;
  readonly containerPort: number;
}

/** An instance on another node. */
export interface Remote {
  readonly address: string;
  readonly networks: readonly number[];
}

/** What instances reach beside their own networks, and who reaches them. */
export interface Walls {
  readonly edgePorts: readonly Port[];
  readonly edgeSources: readonly Block[];
  readonly allowed: readonly Reach[];
  readonly denied: readonly Block[];
  readonly egress: ReadonlyMap<string, readonly Reach[]>;
}

/** A destination; without a protocol all of them, without ports all ports. */
export interface Reach {
  readonly block: Block;
  readonly protocol: Protocol | undefined;
  readonly ports: { readonly from: number; readonly to: number } | undefined;
}

/** The tunnel to peers that are on no common link. */
export interface Vxlan {
  readonly vni: number;
  readonly port: number;
}

/** An instance is in at most so many networks: each one costs every packet a look. */
export const MOST_NETWORKS = 8;
