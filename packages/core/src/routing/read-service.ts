import type { Balancing } from "../model/routing.ts";
import type { LabelSections } from "./label-tree.ts";
import type { LabelContext } from "./label-context.ts";
import { clip, readOptions } from "./options.ts";
import { HTTP_SERVICE, TCP_SERVICE } from "./services.ts";

/** A load balancer as labels describe it. */
export interface LabelledService {
  readonly name: string;
  readonly port: number | undefined;
  readonly weight: number;
  readonly balancing: Balancing;
  /**
   * Options for Traefik's load balancer; `scheme` (http) and `tls` (tcp) are the protocol of the
   * servers.
   */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Reads `traefik.<kind>.services.<name>.loadbalancer.*`. */
export function readServices(context: LabelContext, sections: LabelSections): readonly LabelledService[] {
  return [...sections.services].map(([name, labels]) => readService(context, name, labels));
}

function readService(context: LabelContext, name: string, labels: ReadonlyMap<string, string>): LabelledService {
  const { kind, path, issues } = context;
  const prefix = `traefik.${kind}.services.${name}`;
  const issue = (key: string, problem: string, advice: string): void => {
    issues.push({ path: `${path}.labels["${prefix}.${key}"]`, problem, advice });
  };
  const own = new Map<string, string>();
  for (const [key, value] of labels) {
    const [head = "", ...rest] = key.split(".");
    if (head.toLowerCase() === "loadbalancer" && rest.length > 0) {
      own.set(rest.join("."), value);
    } else issue(key, `"${clip(head)}" services cannot be described by labels`, "write loadbalancer.<option>");
  }
  const { options, problems } = readOptions(own, kind === "http" ? HTTP_SERVICE : TCP_SERVICE);
  for (const { key, problem, advice } of problems) issue(`loadbalancer.${key}`, problem, advice);
  const { server, strategy, ...rest } = options as { server?: Record<string, unknown>; strategy?: string };
  const { port, weight, scheme, tls } = (server ?? {}) as {
    port?: number;
    weight?: number;
    scheme?: string;
    tls?: boolean;
  };
  const { healthCheck } = rest as { healthCheck?: { path?: string; mode?: string } };
  if (healthCheck !== undefined && healthCheck.path === undefined && healthCheck.mode !== "grpc") {
    issue(
      "loadbalancer.healthcheck.path",
      "the health check has no path",
      "write the path that is asked, for example /",
    );
  }
  return {
    name,
    port,
    weight: weight ?? 1,
    balancing: strategy === "p2c" ? "p2c" : "wrr",
    options: { ...rest, ...(scheme === undefined ? {} : { scheme }), ...(tls === undefined ? {} : { tls }) },
  };
}
