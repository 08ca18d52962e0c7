import { deploymentIdOf } from "@skep/core/model/instance-id.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Route } from "@skep/core/model/routing.ts";

/** The name of every route's router. */
const ROUTER = "web";

/**
 * The one route of a deployment: its domain leads to the first port that it has; none where it has
 * no port.
 */
export function routesOf(tenantId: string, spec: DeploymentSpec): readonly Route[] {
  const container = spec.containers.find(one => one.ports.length > 0);
  if (container === undefined) return [];
  const domain = `${spec.name}.${tenantId}.example`;
  return [
    {
      deploymentId: deploymentIdOf(tenantId, spec.name),
      tenantId,
      release: 0,
      router: ROUTER,
      kind: "http",
      domain,
      path: "/",
      rule: `Host(\`${domain}\`)`,
      entryPoints: ["web"],
      priority: undefined,
      container: container.name,
      targetPort: container.ports[0]!.containerPort,
      tls: false,
      weight: 1,
      balancing: "wrr",
      middlewares: [],
      service: {},
    },
  ];
}
