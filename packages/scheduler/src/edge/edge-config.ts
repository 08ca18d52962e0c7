import { withCanary } from "@skep/core/routing/canary.ts";
import { ROUTED_OF_LOCATION, ROUTED_OF_NODE, traefikConfig } from "@skep/core/routing/traefik-config.ts";
import { withWorkspaces } from "@skep/core/routing/workspace-routes.ts";
import { REACHED } from "@skep/core/workspace/reach.ts";
import { hash } from "node:crypto";
import type { Edge } from "../store/store.ts";

/**
 * A configuration for the edges as JSON, with the canary in it, and its version: a hash of what
 * else it says.
 */
export interface EdgeConfig {
  readonly text: string;
  readonly version: string;
}

type Rows = Pick<Edge, "routes" | "locations" | "nodes" | "workspaces">;

/**
 * Answers the configuration of what was read, and the last one again while nothing is other that it
 * is made from: rows are replaced and never changed, and most are replaced by what no route says.
 * Only the store in memory answers the same rows twice; Postgres answers new ports with each read.
 */
export function createEdgeConfig(): (rows: Rows, workspacesDomain?: string) => EdgeConfig {
  let last: { readonly rows: Rows; readonly domain: string | undefined; readonly made: EdgeConfig } | undefined;
  return (rows, domain) => {
    if (last !== undefined && last.domain === domain && areSame(last.rows, rows)) return last.made;
    const tenants = traefikConfig(rows.routes, rows.locations, rows.nodes);
    const config = withWorkspaces(tenants, rows.workspaces, domain);
    const version = hash("sha256", JSON.stringify(config), "hex").slice(0, 16);
    last = { rows, domain, made: { text: JSON.stringify(withCanary(config, version)), version } };
    return last.made;
  };
}

function areSame(one: Rows, other: Rows): boolean {
  return (
    hasSame(one.routes, other.routes, []) &&
    hasSame(one.locations, other.locations, ROUTED_OF_LOCATION) &&
    hasSame(one.nodes, other.nodes, ROUTED_OF_NODE) &&
    hasSame(one.workspaces, other.workspaces, REACHED)
  );
}

/** Whether the rows are the very same, or say the same in these fields; without any, the former. */
function hasSame<T>(some: readonly T[], others: readonly T[], fields: readonly (keyof T)[]): boolean {
  const isSame = (one: T, other: T): boolean =>
    one === other || (fields.length > 0 && fields.every(field => one[field] === other[field]));
  return some.length === others.length && some.every((one, at) => isSame(one, others[at]!));
}
