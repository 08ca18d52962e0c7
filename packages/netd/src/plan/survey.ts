/** What is on a node that is not ours, as far as it matters to the network. */
export interface Survey {
  readonly routes: readonly ForeignRoute[];
  /** Links that have addresses, by which the one to the peers is found. */
  readonly links: readonly ForeignLink[];
  readonly firewalls: readonly Firewall[];
}

/** A route of others. */
export interface ForeignRoute {
  /** A block, or one address as a block of 32 bits. */
  readonly to: string;
  readonly device: string;
  /** Whether the node itself is on this block, by an address that it has. */
  readonly isOwn: boolean;
}

/** A link of others. */
export interface ForeignLink {
  readonly name: string;
  readonly mtu: number;
  readonly addresses: readonly string[];
}

/** Something that drops what the node forwards unless it is told otherwise. */
export interface Firewall {
  /** Its name among people: `ufw`, `firewalld`, or the table and chain. */
  readonly name: string;
  readonly chain: string;
}

/** A node of which nothing is known. */
export const EMPTY_SURVEY: Survey = { routes: [], links: [], firewalls: [] };
