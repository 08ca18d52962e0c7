import type { DeploymentId } from "./deployment.ts";
import type { TenantId } from "./tenant.ts";

/** How requests are balanced over an instance set. */
export type Balancing = "wrr" | "p2c";

/**
 * One route of a deployment, as its labels describe it; a row of `deployment_routing`.
 * `rule` is Traefik's own rule text for the router, checked and normalised.
 */
export interface Route {
  readonly deploymentId: DeploymentId;
  readonly tenantId: TenantId;
  /** The release whose labels describe it; 0 until it is recorded. */
  readonly release: number;
  /** Router name of the labels, unique within the deployment. */
  readonly router: string;
  readonly kind: "http" | "tcp";
  /** The domain of the rule's Host or HostSNI matcher. */
  readonly domain: string;
  /** The path prefix of the rule, `/` where it has none. */
  readonly path: string;
  readonly rule: string;
  readonly entryPoints: readonly string[];
  readonly priority: number | undefined;
  readonly container: string;
  readonly targetPort: number;
  readonly tls: boolean;
  readonly weight: number;
  readonly balancing: Balancing;
  /** Traefik middlewares of the labels: name to its options, in order of use. */
  readonly middlewares: readonly { readonly name: string; readonly options: Readonly<Record<string, unknown>> }[];
  /**
   * Options of the load balancer that labels may set: sticky cookie, passHostHeader, health check.
   */
  readonly service: Readonly<Record<string, unknown>>;
}
