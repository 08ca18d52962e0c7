import type { Issue } from "../error.ts";
import type { DeploymentId, DeploymentSpec } from "../model/deployment.ts";
import type { Route } from "../model/routing.ts";
import type { TenantId } from "../model/tenant.ts";
import type { LabelContext } from "./label-context.ts";
import { readLabels } from "./label-tree.ts";
import type { LabelSections, LabelTree } from "./label-tree.ts";
import { readMiddlewares } from "./read-middlewares.ts";
import { readRouter } from "./read-router.ts";
import { readServices } from "./read-service.ts";

/**
 * The routes of a deployment, and what is wrong with its labels; with any issue the routes must not
 * be used.
 */
export interface ReadRoutes {
  readonly routes: readonly Route[];
  readonly issues: readonly Issue[];
}

/** Every edge holds every route, and checks the health of each of its servers by itself. */
const MOST_ROUTES = 128;

/**
 * Reads the Traefik labels of a deployment as people write them for Traefik's Docker provider. A
 * route is made per domain and path of each router's rule. `traefik.enable=false` on a container
 * leaves its labels unread.
 */
export function routesFromSpec(tenantId: TenantId, deploymentId: DeploymentId, spec: DeploymentSpec): ReadRoutes {
  const routes: Route[] = [];
  const issues: Issue[] = [];
  spec.containers.forEach((container, index) => {
    const path = `containers[${index}]`;
    const tree = readLabels(container.labels, path);
    if (tree.enabled === false) return;
    issues.push(...tree.issues);
    if (tree.enabled === true && tree.http.routers.size + tree.tcp.routers.size === 0 && tree.issues.length === 0) {
      issues.push({
        path: `${path}.labels["traefik.enable"]`,
        problem: "the container asks for routes but no label describes one",
        advice: "add traefik.http.routers.<name>.rule=Host(`<domain>`), or remove traefik.enable",
      });
    }
    for (const kind of ["http", "tcp"] as const) {
      routes.push(...routesOf({ tenantId, deploymentId, container, path, kind, issues }, tree[kind]));
    }
  });
  refuseRepeated(routes, issues);
  if (routes.length > MOST_ROUTES) {
    issues.push({
      path: "containers",
      problem: `the labels make ${routes.length} routes, and the most of one deployment is ${MOST_ROUTES}`,
      advice: "name fewer domains and paths, or split the deployment",
    });
  }
  return { routes, issues };
}

/**
 * The spec with a published port for every port that its labels route to, as people expect who know
 * Traefik's Docker provider, where a routed port need not be published.
 */
export function withRoutedPorts(spec: DeploymentSpec): DeploymentSpec {
  const containers = spec.containers.map((container, index) => {
    const tree: LabelTree = readLabels(container.labels, `containers[${index}]`);
    if (tree.enabled === false) return container;
    const wanted = [...labelledPorts(tree.http), ...labelledPorts(tree.tcp)];
    const known = new Set(container.ports.filter(port => port.protocol === "tcp").map(port => port.containerPort));
    const missing = [...new Set(wanted)].filter(port => !known.has(port));
    if (missing.length === 0) return container;
    const added = missing.map(containerPort => ({ containerPort, protocol: "tcp" as const, hostPort: undefined }));
    return { ...container, ports: [...container.ports, ...added] };
  });
  return { ...spec, containers };
}

function labelledPorts(sections: LabelSections): number[] {
  return [...sections.services.values()].flatMap(options =>
    [...options]
      .filter(([key]) => key.toLowerCase() === "loadbalancer.server.port")
      .map(([, value]) => Number(value))
      .filter(port => Number.isInteger(port) && port > 0 && port < 65536),
  );
}

function routesOf(context: LabelContext, sections: LabelSections): Route[] {
  const services = readServices(context, sections);
  const middlewares = readMiddlewares(context, sections);
  return [...sections.routers].flatMap(([name, options]) => readRouter(context, name, options, services, middlewares));
}

/** Routers of one name, in two containers or in two kinds, would overwrite each other. */
function refuseRepeated(routes: readonly Route[], issues: Issue[]): void {
  const seen = new Map<string, Route>();
  for (const route of routes) {
    const before = seen.get(route.router);
    if (before !== undefined) {
      issues.push({
        path: `containers.${route.container}.labels`,
        problem: `the router "${route.router}" is described twice (${before.container} ${before.kind}, ${route.container} ${route.kind})`,
        advice: "give each router of a deployment a name of its own",
      });
    }
    seen.set(route.router, route);
  }
}
