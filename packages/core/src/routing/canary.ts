import type { TraefikDynamic } from "./traefik-config.ts";

/**
 * The host of the platform's own route on every edge. `.invalid` is no domain of anybody (RFC
 * 6761).
 */
export const CANARY_HOST = "edge.skep.invalid";
/** The header of the canary's answer that says which routes the edge holds. */
export const CANARY_HEADER = "x-skep-routes";

/** Whether a domain is the platform's own, so that no tenant may have it. */
export function isPlatformDomain(domain: string): boolean {
  return domain === "invalid" || domain.endsWith(".invalid");
}

// It has no dot, so no tenant's is named like it.
const NAME = "skep-canary";

/**
 * Adds the platform's own route, which the edge answers by itself with the version of the routes
 * that it holds. An edge that has ceased to apply configurations goes on answering the version of
 * the last one that it took.
 */
export function withCanary(config: TraefikDynamic, version: string): Readonly<Record<string, unknown>> {
  const { routers = {}, services = {}, middlewares = {} } = config.http ?? {};
  return {
    ...config,
    http: {
      routers: {
        ...routers,
        [NAME]: { rule: `Host(\`${CANARY_HOST}\`)`, service: "noop@internal", middlewares: [NAME] },
      },
      ...(Object.keys(services).length === 0 ? {} : { services }),
      middlewares: { ...middlewares, [NAME]: { headers: { customResponseHeaders: { [CANARY_HEADER]: version } } } },
    },
  };
}
