import { originOf, pathOf, peerPathOf, type WorkspaceReach } from "../workspace/reach.ts";
import type { TraefikDynamic, TraefikSection } from "./traefik-config.ts";

/** Below whatever a tenant's own rule comes to, so that his domain is his on every path. */
const PRIORITY = 1;
/** What halves of one workspace say to each other goes to neither's owner. */
const PEER_PRIORITY = 2;

/**
 * Adds the routes of placed workspaces: what is below a workspace's path goes to the host that
 * serves it, with and without TLS. One that nobody serves keeps its route and has no server, which
 * Traefik answers with 503. Where there is a `domain`, only requests to it are routed, but for what
 * halves of one that moves say to each other: a pod reaches a shared host by the edge of its node.
 */
export function withWorkspaces(
  config: TraefikDynamic,
  workspaces: readonly WorkspaceReach[],
  domain: string | undefined,
): TraefikDynamic {
  if (workspaces.length === 0) return config;
  const http: TraefikSection = {
    ...config.http,
    routers: { ...config.http?.routers },
    services: { ...config.http?.services },
  };
  for (const reach of workspaces.filter(one => one.isHalf === true)) {
    // No id has an underscore, so no workspace is named like it.
    const service = `skep-ws-half_${reach.workspaceId}`;
    const origin = originOf(reach);
    http.services[service] = { loadBalancer: { servers: origin === undefined ? [] : [{ url: origin }] } };
    const rule = `PathPrefix(\`${peerPathOf(reach.workspaceId)}\`)`;
    http.routers[service] = { rule, service, priority: PEER_PRIORITY };
  }
  for (const reach of workspaces.filter(one => one.isHalf === undefined)) {
    // It has no dot, so no tenant's is named like it.
    const service = `skep-ws-${reach.workspaceId}`;
    const path = `PathPrefix(\`${pathOf(reach.workspaceId)}\`)`;
    const rule = domain === undefined ? path : `Host(\`${domain}\`) && ${path}`;
    const origin = originOf(reach);
    http.services[service] = { loadBalancer: { servers: origin === undefined ? [] : [{ url: origin }] } };
    http.routers[service] = { rule, service, priority: PRIORITY };
    http.routers[`${service}-tls`] = { rule, service, priority: PRIORITY, tls: {} };
  }
  return { ...config, http };
}
