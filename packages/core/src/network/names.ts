import type { NetworkMembership } from "../model/deployment.ts";
import type { TenantId } from "../model/tenant.ts";

/** A network of the tenant, and how the others there call the member besides. */
export type Membership = Pick<NetworkMembership, "name" | "aliases">;

/** What one deployment is called, and where it is. */
export interface NameEntry {
  /** Its name within the tenant. */
  readonly deployment: string;
  readonly project: string | undefined;
  /** How its project calls it. */
  readonly service: string | undefined;
  readonly networks: readonly Membership[];
  /** Addresses of instances that are well: names lead to these. */
  readonly well: readonly string[];
  /** Addresses of instances that run and are not well, or no longer meant to run. */
  readonly others: readonly string[];
}

/** What of one tenant is told to a node. */
export interface TenantNames {
  readonly tenantId: TenantId;
  readonly entries: readonly NameEntry[];
}

/** An instance of the node, which may ask for names. */
export interface NameAsker {
  readonly address: string;
  readonly tenantId: TenantId;
  readonly project: string | undefined;
  /** Names of the networks that it is in. */
  readonly networks: readonly string[];
}

/** Who asks on a node, and what there is to be found. */
export interface NameTable {
  readonly askers: readonly NameAsker[];
  readonly tenants: readonly TenantNames[];
}

/** Whether they reach each other: they share a network. */
export function shareNetwork(entry: Pick<NameEntry, "networks">, networks: ReadonlySet<string>): boolean {
  return entry.networks.some(({ name }) => networks.has(name));
}
