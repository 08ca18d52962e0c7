import type { Copy } from "../state/net-state.ts";

/**
 * The part of a node's network that is ours, as values: what it is to be, and what the kernel
 * shows of it. Equal planes need no step.
 */
export interface Plane {
  /** By the name of the node's end. */
  readonly links: ReadonlyMap<string, Link>;
  readonly tunnel: Tunnel | undefined;
  /** By destination. */
  readonly routes: ReadonlyMap<string, Route>;
  /** Hardware addresses, by device and address. */
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  /** Where the tunnel sends frames for a hardware address. */
  readonly tunnelEnds: ReadonlyMap<string, string>;
  /** Whether the node answers as the sandboxes' next hop. */
  readonly hasGateway: boolean;
  readonly isForwarding: boolean;
  /** Whether Docker lets our packets pass; `undefined` where it has no say. */
  readonly passesDocker: boolean | undefined;
  readonly ruleset: Ruleset | undefined;
}

/** A sandbox's link, both ends of it. */
export interface Link {
  readonly name: string;
  readonly copy: Copy;
  readonly netns: string;
  readonly address: string;
  readonly mac: string;
  readonly mtu: number;
  /** Whether the sandbox's end is set up: with its address, its routes, and up. */
  readonly isReady: boolean;
}

/** The VXLAN device. */
export interface Tunnel {
  readonly vni: number;
  readonly port: number;
  /** The node's address, from which packets leave. */
  readonly local: string;
  /** The node's address inside. */
  readonly address: string;
  readonly mac: string;
  readonly mtu: number;
}

/** A route of ours. */
export interface Route {
  /** A block such as 10.128.0.0/20. */
  readonly to: string;
  /** `refuse` answers that there is no way. */
  readonly kind: "link" | "via" | "refuse";
  /** The device of `link`; of `via` only where the next hop is on no link of the node's. */
  readonly device: string | undefined;
  readonly via: string | undefined;
  /** Which of its addresses the node itself uses. */
  readonly source: string | undefined;
}

/** A hardware address that is told rather than asked for. */
export interface Neighbour {
  readonly device: string;
  readonly address: string;
  readonly mac: string;
}

/** The table of nftables: its rules, and what is in its sets. */
export interface Ruleset {
  /** Sets without elements, chains and rules, as nft reads them. */
  readonly rules: string;
  readonly sets: Sets;
}

/** By set: each element, with what it leads to in a map and `""` in a set. */
export type Sets = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Where `neighbours` has one. */
export function neighbourKey({ device, address }: Pick<Neighbour, "device" | "address">): string {
  return `${device} ${address}`;
}

/** A node on which we made nothing. */
export const EMPTY_PLANE: Plane = {
  links: new Map(),
  tunnel: undefined,
  routes: new Map(),
  neighbours: new Map(),
  tunnelEnds: new Map(),
  hasGateway: false,
  isForwarding: false,
  passesDocker: undefined,
  ruleset: undefined,
};
