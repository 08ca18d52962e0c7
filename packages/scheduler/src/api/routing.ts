import type { ServiceImpl } from "@connectrpc/connect";
import type { RoutingService } from "@skep/api/gen/skep/v1/routing_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { tenantOf } from "@skep/core/model/instance-id.ts";
import type { Route } from "@skep/core/model/routing.ts";
import { sharersOf } from "@skep/core/routing/shared.ts";
import { isServing } from "@skep/core/model/state.ts";
import type { ApiDeps } from "./deps.ts";
import { routeToProto } from "./encode.ts";
import { lookupsOf, pageRequest, readAll } from "./lookups.ts";

/** Which domain leads where. */
export function routingHandlers(deps: ApiDeps): ServiceImpl<typeof RoutingService> {
  const { store } = deps;
  return {
    listRoutes: async request => {
      const routes = await store.listRoutes({
        ...(request.tenantId === "" ? {} : { tenantId: request.tenantId }),
        ...(request.deploymentId === "" ? {} : { deploymentId: request.deploymentId }),
      });
      const { size, token } = pageRequest(request);
      const ordered = routes.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
      const left = ordered.filter(route => token === undefined || keyOf(route) > decodeKey(token));
      const page = left.slice(0, size);
      const last = page.at(-1);
      const more = left.length > page.length && last !== undefined;
      // Of one deployment those of its tenant say who asks for the same.
      const { deploymentId } = request;
      const rest = deploymentId === "" ? [] : await store.listRoutes({ tenantId: tenantOf(deploymentId) });
      const others = [...routes, ...rest.filter(route => route.deploymentId !== deploymentId)];
      return {
        routes: await encodeRoutes(deps, page, routes, others),
        nextPageToken: more ? encodeKey(keyOf(last)) : "",
      };
    },
    getRoute: async ({ domain }) => {
      const routes = await store.listRoutes({ domain: domain.toLowerCase() });
      if (routes.length > 0) return { routes: await encodeRoutes(deps, routes, routes, routes) };
      throw new SkepError(
        "not_found",
        "ROUTE_NOT_FOUND",
        `No route leads from the domain ${domain}. List routes to see which domains there are.`,
        { details: { domain } },
      );
    },
  };
}

async function encodeRoutes(
  { store }: ApiDeps,
  routes: readonly Route[],
  all: readonly Route[],
  others: readonly Route[],
): Promise<ReturnType<typeof routeToProto>[]> {
  const deploymentIds = [...new Set(routes.map(route => route.deploymentId))];
  const [nodes, ...instances] = await Promise.all([
    store.listNodes(),
    ...deploymentIds.map(deploymentId => readAll(page => store.listInstances({ deploymentId }, page))),
  ]);
  const lookups = lookupsOf(nodes, [], []);
  const sharers = sharersOf(others);
  // As on the edges: while a newer placement does not serve yet, the one before it does.
  const serving = instances.flat().flatMap(({ locations }) => {
    const well = locations.filter(location => isServing(location, lookups.node(location.nodeId)));
    return well.toSorted((a, b) => b.epoch - a.epoch).slice(0, 1);
  });
  return routes.map(route => {
    const own = serving.filter(location => location.deploymentId === route.deploymentId);
    const releases = new Set(all.filter(one => one.deploymentId === route.deploymentId).map(one => one.release));
    const servers = own.filter(({ release }) => release === route.release || !releases.has(release));
    return routeToProto(route, servers, lookups, sharers.get(route));
  });
}

function keyOf(route: Route): string {
  return `${route.domain} ${route.path} ${route.deploymentId} ${route.release} ${route.router}`;
}

function encodeKey(key: string): string {
  return Buffer.from(key, "utf8").toString("base64url");
}

function decodeKey(token: string): string {
  return Buffer.from(token, "base64url").toString("utf8");
}
