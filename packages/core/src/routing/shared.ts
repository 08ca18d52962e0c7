import type { DeploymentId } from "../model/deployment.ts";
import type { Route } from "../model/routing.ts";

/**
 * Other deployments of a route's tenant that ask for the same domain and path, for each route that
 * has any. Where their rules are one, each gets requests by its weight; else the edge takes the
 * longer rule first. It may be meant, as with a canary, and then each has to say so.
 */
export function sharersOf(routes: readonly Route[]): ReadonlyMap<Route, readonly DeploymentId[]> {
  const found = new Map<Route, readonly DeploymentId[]>();
  for (const group of Map.groupBy(routes, askOf).values())
    for (const route of group) {
      const others = group.filter(one => one.deploymentId !== route.deploymentId && meet(one, route));
      if (others.length > 0) found.set(route, [...new Set(others.map(one => one.deploymentId))].sort());
    }
  return found;
}

function askOf({ tenantId, kind, domain, path, tls }: Route): string {
  return [tenantId, kind, domain, path, tls].join("\n");
}

/** Whether two routes stand at one entry point of the edge; none is all of them. */
function meet(one: Route, other: Route): boolean {
  if (one.entryPoints.length === 0 || other.entryPoints.length === 0) return true;
  return one.entryPoints.some(entry => other.entryPoints.includes(entry));
}
