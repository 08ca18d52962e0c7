import { isPlatformDomain } from "./canary.ts";
import type { Route } from "../model/routing.ts";
import { EDGE_ENTRY_POINTS } from "./entry-points.ts";
import type { LabelContext } from "./label-context.ts";
import { list, oneOf, pattern, text, whole, type OptionSchema } from "./option-kinds.ts";
import { clip, readOptions } from "./options.ts";
import type { LabelledMiddleware } from "./read-middlewares.ts";
import type { LabelledService } from "./read-service.ts";
import { formatRule, parseRule } from "./rule.ts";
import type { Alternatives, Literal } from "./rule.ts";

// The certificate resolver and its domains may stand there, as most examples have them:
// certificates are the edge's own business, so that they only mean "with TLS".
const ROUTER: OptionSchema = {
  rule: text(),
  entryPoints: list(pattern(/^[A-Za-z0-9_-]+$/, "an entry point's name", "web", 100), 20),
  middlewares: list(text(200), 30),
  // Only routers of the same domain are ordered by it, and those are one tenant's.
  priority: whole(0, 1_000_000),
  service: text(200),
  ruleSyntax: oneOf("v3", "default"),
};

const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * Reads one router: a route per domain and path of its rule. The first keeps the router's name, the
 * next get `.2` and on.
 */
export function readRouter(
  context: LabelContext,
  name: string,
  labels: ReadonlyMap<string, string>,
  services: readonly LabelledService[],
  middlewares: ReadonlyMap<string, LabelledMiddleware>,
): readonly Route[] {
  const before = context.issues.length;
  const issue = (key: string, problem: string, advice: string): void => {
    context.issues.push({
      path: `${context.path}.labels["traefik.${context.kind}.routers.${name}.${key}"]`,
      problem,
      advice,
    });
  };
  const { plain, tls, passthrough } = splitTls(context, labels, issue);
  const { options, problems } = readOptions(plain, ROUTER);
  for (const { key, problem, advice } of problems) issue(key, problem, advice);
  const { rule, entryPoints, priority, ...more } = options as RouterOptions;
  if (rule === undefined) issue("rule", `the router "${name}" has no rule`, "write rule=Host(`<domain>`)");
  for (const entryPoint of entryPoints ?? []) {
    // Traefik itself would drop the whole router, and say so to nobody but its log.
    if (!EDGE_ENTRY_POINTS.includes(entryPoint))
      issue(
        "entrypoints",
        `the edge has no entry point "${clip(entryPoint)}"`,
        `use ${EDGE_ENTRY_POINTS.join(" or ")}`,
      );
  }
  if (context.kind === "tcp" && entryPoints === undefined) {
    issue(
      "entrypoints",
      "a TCP router without an entry point would take connections on all of them",
      "name the entry point",
    );
  }
  if (context.kind === "tcp" && !tls)
    issue("tls", "connections without TLS do not say which domain they are for", "add tls=true");
  const used = useMiddlewares(more.middlewares ?? [], middlewares, issue);
  const service = chooseService(more.service, services, name, issue);
  const port = choosePort(context, service, issue);
  const parts = rule === undefined ? [] : splitRule(context, rule, issue);
  if (context.issues.length > before || port === undefined) return [];
  return parts.map((part, at) => ({
    deploymentId: context.deploymentId,
    tenantId: context.tenantId,
    release: 0,
    router: at === 0 ? name : `${name}.${at + 1}`,
    kind: context.kind,
    domain: part.domain,
    path: part.path,
    rule: formatRule(part.alternatives),
    entryPoints: entryPoints ?? [],
    priority,
    container: context.container.name,
    targetPort: port,
    tls,
    weight: service?.weight ?? 1,
    balancing: service?.balancing ?? "wrr",
    middlewares: used,
    service: { ...service?.options, ...(passthrough ? { passthrough } : {}) },
  }));
}

interface RouterOptions {
  readonly rule?: string;
  readonly entryPoints?: readonly string[];
  readonly priority?: number;
  readonly middlewares?: readonly string[];
  readonly service?: string;
}

type Report = (key: string, problem: string, advice: string) => void;

function splitTls(
  context: LabelContext,
  labels: ReadonlyMap<string, string>,
  issue: Report,
): { readonly plain: ReadonlyMap<string, string>; readonly tls: boolean; readonly passthrough: boolean } {
  const plain = new Map<string, string>();
  let [tls, passthrough] = [false, false];
  for (const [key, value] of labels) {
    const lower = key.toLowerCase();
    const isFlag = /^(true|false)$/i.test(value.trim());
    const isTrue = value.trim().toLowerCase() === "true";
    if (lower === "tls" || (lower === "tls.passthrough" && context.kind === "tcp")) {
      if (!isFlag) issue(key, `"${value}" is neither true nor false`, "write true or false");
      tls ||= isTrue;
      if (lower !== "tls") passthrough = isTrue;
    } else if (lower === "tls.certresolver" || /^tls\.domains(\[|\.|$)/.test(lower)) tls = true;
    else if (lower.startsWith("tls."))
      issue(key, "TLS options are the edge's own", "remove the label; tls=true is enough");
    else plain.set(key, value);
  }
  return { plain, tls, passthrough };
}

function useMiddlewares(
  names: readonly string[],
  known: ReadonlyMap<string, LabelledMiddleware>,
  issue: Report,
): LabelledMiddleware[] {
  return names.flatMap(name => {
    const found = known.get(name);
    if (found !== undefined) return [found];
    if (name.includes("@"))
      issue(
        "middlewares",
        `the middleware "${clip(name)}" belongs to somebody else`,
        "describe one of your own on this container",
      );
    else
      issue(
        "middlewares",
        `no label of this container describes the middleware "${clip(name)}"`,
        "add its labels, or remove its name",
      );
    return [];
  });
}

function chooseService(
  name: string | undefined,
  services: readonly LabelledService[],
  router: string,
  issue: Report,
): LabelledService | undefined {
  if (name !== undefined) {
    const found = services.find(service => service.name === name);
    if (found !== undefined) return found;
    if (name.includes("@"))
      issue("service", `the service "${clip(name)}" belongs to somebody else`, "route to a port of this container");
    else if (services.length > 0)
      issue(
        "service",
        `no label of this container describes the service "${clip(name)}"`,
        "add its labels, or remove the name",
      );
    return undefined;
  }
  if (services.length <= 1) return services[0];
  const same = services.find(service => service.name === router);
  if (same === undefined)
    issue("service", "the container describes several services", "name the one that the router is for");
  return same;
}

/**
 * The port the labels name, or the only one there is. It has to be published, since the edge comes
 * by the host port.
 */
function choosePort(
  { container, kind }: LabelContext,
  service: LabelledService | undefined,
  issue: Report,
): number | undefined {
  const ports = container.ports.filter(port => port.protocol === "tcp").map(port => port.containerPort);
  const label = `traefik.${kind}.services.<name>.loadbalancer.server.port`;
  if (service?.port === undefined) {
    if (ports.length === 1) return ports[0];
    issue(
      "service",
      ports.length === 0
        ? `${container.name} publishes no port to route to`
        : `${container.name} publishes ${ports.length} ports`,
      `name the port with ${label}`,
    );
    return undefined;
  }
  if (ports.includes(service.port)) return service.port;
  issue("service", `${container.name} does not publish port ${service.port}`, "add the port to the container's ports");
  return undefined;
}

interface RulePart {
  readonly domain: string;
  readonly path: string;
  readonly alternatives: Alternatives;
}

/**
 * Splits a rule by domain and path; every alternative must name its domain, or it would take other
 * tenants' requests.
 */
function splitRule({ kind }: LabelContext, text: string, issue: Report): readonly RulePart[] {
  const matcher = kind === "http" ? "Host" : "HostSNI";
  const parsed = parseRule(text, kind);
  if (!parsed.ok) {
    issue("rule", parsed.problem, `write for example ${matcher}(\`example.com\`)`);
    return [];
  }
  const parts = new Map<string, { domain: string; path: string; alternatives: Literal[][] }>();
  for (const literals of parsed.alternatives) {
    const domains = new Set(
      literals.filter(one => one.matcher === matcher && !one.negated).map(one => one.args[0]!.toLowerCase()),
    );
    const [domain] = domains;
    if (domain === undefined) {
      issue(
        "rule",
        `"${clip(formatRule([literals]))}" matches requests for any domain, other tenants' too`,
        `add ${matcher}(\`<domain>\`) to every alternative`,
      );
      return [];
    }
    if (domains.size > 1) {
      issue(
        "rule",
        `a request cannot be for ${[...domains].join(" and ")} at once`,
        "join the domains by || instead of &&",
      );
      return [];
    }
    if (!DOMAIN.test(domain)) {
      issue(
        "rule",
        `"${clip(domain)}" is no domain name`,
        domain === "*"
          ? `name the domain: ${matcher}(\`*\`) takes every tenant's connections`
          : "use letters, digits, dashes and dots",
      );
      return [];
    }
    if (isPlatformDomain(domain)) {
      issue("rule", `"${domain}" is the platform's own`, "choose a domain that does not end in .invalid");
      return [];
    }
    const paths = literals
      .filter(one => (one.matcher === "PathPrefix" || one.matcher === "Path") && !one.negated)
      .map(one => one.args[0]!);
    const bad = paths.find(path => !path.startsWith("/"));
    if (bad !== undefined) issue("rule", `the path "${bad}" does not begin with /`, `write /${bad}`);
    const older = paths.find(one => /\{[A-Za-z_]\w*:/.test(one));
    if (older !== undefined)
      issue(
        "rule",
        `Traefik 3 takes "${clip(older)}" to the letter, so that it matches no request`,
        `write PathRegexp with a regular expression, like PathRegexp(\`^/p/[0-9]+$\`)`,
      );
    const path = paths[0] ?? "/";
    const lowered = literals.map(one =>
      one.matcher === matcher ? { ...one, args: [one.args[0]!.toLowerCase()] } : one,
    );
    const key = `${domain} ${path}`;
    const part = parts.get(key);
    if (part === undefined) parts.set(key, { domain, path, alternatives: [lowered] });
    else part.alternatives.push(lowered);
  }
  return [...parts.values()];
}
