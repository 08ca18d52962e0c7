import type { Balancing } from "../model/routing.ts";
import type { LabelSections } from "./label-tree.ts";
import type { LabelContext } from "./label-context.ts";
import { HTTP_SERVICE, TCP_SERVICE } from "./middlewares.ts";
import { readOptions } from "./options.ts";

/** A load balancer as labels describe it. */
export interface LabelledService {
  readonly name: string;
  readonly port: number | undefined;
  readonly weight: number;
  readonly balancing: Balancing;
  /** Options for Traefik's load balancer; `scheme` (http) and `tls` (tcp) say how servers are spoken to. */
  readonly options: Readonly<Record<string, unknown>>;
}

const MOST_WEIGHT = 10_000;

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
      const below = rest.join(".");
      if (/^serverstransport$/i.test(below))
        issue(key, "a transport of the edge's own cannot be chosen", "remove the label");
      else if (/^healthcheck\.(port|scheme)$/i.test(below))
        issue(key, "health checks go to the routed port only", "remove the label");
      else own.set(below, value);
    } else issue(key, `"${head}" services cannot be described by labels`, "write loadbalancer.<option>");
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
  if (port !== undefined && (port < 1 || port > 65535))
    issue("loadbalancer.server.port", `${port} is no port`, "use 1 to 65535");
  if (weight !== undefined && (weight < 0 || weight > MOST_WEIGHT)) {
    issue("loadbalancer.server.weight", `${weight} is no weight`, `use 0 to ${MOST_WEIGHT}`);
  }
  if (scheme !== undefined && !["http", "https", "h2c"].includes(scheme)) {
    issue("loadbalancer.server.scheme", `"${scheme}" is no scheme of the edge`, "use http, https or h2c");
  }
  if (strategy !== undefined && strategy !== "wrr" && strategy !== "p2c") {
    issue("loadbalancer.strategy", `"${strategy}" is no strategy of the edge`, "use wrr or p2c");
  }
  return {
    name,
    port,
    weight: weight ?? 1,
    balancing: strategy === "p2c" ? "p2c" : "wrr",
    options: { ...rest, ...(scheme === undefined ? {} : { scheme }), ...(tls === undefined ? {} : { tls }) },
  };
}
