import type { Usage } from "@skep/core/model/report.ts";
import type { Node } from "@skep/core/model/node.ts";
import type { Route } from "@skep/core/model/routing.ts";
import type { NodeRecord, Store } from "../store/store.ts";
import type { Page, PageRequest } from "../store/request.ts";
import type { InstanceRecord } from "@skep/core/model/instance.ts";

/** Page size where a request names none. */
const DEFAULT_PAGE = 100;
/** Largest page of the store, for reading everything. */
const WHOLE_PAGE = 1000;

/** What is read beside the records that are shown: names of nodes, domains, resource use. */
export interface Lookups {
  node(nodeId: string): Node | undefined;
  /** Domains that lead to a deployment, each once. */
  domains(deploymentId: string): readonly string[];
  usage(instanceId: string, epoch: number): Usage | undefined;
}

/** The page that a request asks for. */
export function pageRequest(request: { readonly pageSize: number; readonly pageToken: string }): PageRequest {
  return {
    size: request.pageSize === 0 ? DEFAULT_PAGE : request.pageSize,
    token: request.pageToken === "" ? undefined : request.pageToken,
  };
}

/** Every page, one after the other. */
export async function readAll<T>(read: (page: PageRequest) => Promise<Page<T>>): Promise<readonly T[]> {
  const items: T[] = [];
  let token: string | undefined;
  do {
    const page = await read({ size: WHOLE_PAGE, token });
    items.push(...page.items);
    token = page.nextToken;
  } while (token !== undefined);
  return items;
}

/** Reads what the messages of these instances name. */
export async function loadLookups(
  store: Store,
  filter: { readonly tenantId?: string; readonly deploymentId?: string },
  instances: readonly InstanceRecord[],
): Promise<Lookups> {
  const ids = instances.map(({ instance }) => instance.id);
  const [nodes, routes, usage] = await Promise.all([
    store.listNodes(),
    store.listRoutes(filter),
    ids.length === 0 ? [] : store.loadUsage(ids),
  ]);
  return lookupsOf(nodes, routes, usage);
}

/** Lookups of what was read already. */
export function lookupsOf(nodes: readonly NodeRecord[], routes: readonly Route[], usage: readonly Usage[]): Lookups {
  const byNode = new Map(nodes.map(({ node }) => [node.id, node]));
  const byEpoch = new Map(usage.map(one => [`${one.instanceId} ${one.epoch}`, one]));
  const domains = new Map<string, Set<string>>();
  for (const { deploymentId, domain } of routes)
    domains.set(deploymentId, (domains.get(deploymentId) ?? new Set()).add(domain));
  return {
    node: nodeId => byNode.get(nodeId),
    domains: deploymentId => [...(domains.get(deploymentId) ?? [])],
    usage: (instanceId, epoch) => byEpoch.get(`${instanceId} ${epoch}`),
  };
}
