import type { DeploymentId } from "../model/deployment.ts";
import type { Location, PortBinding } from "../model/instance.ts";
import type { Node, NodeId } from "../model/node.ts";
import type { Route } from "../model/routing.ts";
import { isServing } from "../model/state.ts";

/**
 * Traefik's dynamic configuration for its HTTP provider, as JSON. Parts that would be empty are
 * left out.
 */
export interface TraefikDynamic {
  http?: TraefikSection;
  tcp?: TraefikSection;
}

/** Routers, services and middlewares of one kind, by name. */
export interface TraefikSection {
  routers: Record<string, Record<string, unknown>>;
  services: Record<string, Record<string, unknown>>;
  middlewares?: Record<string, Record<string, unknown>>;
}

/**
 * All that is read of a node. The types below let nothing else be read, so that who keeps a
 * configuration may compare these fields only.
 */
export const ROUTED_OF_NODE = ["id", "address", "liveness"] as const satisfies readonly (keyof Node)[];

/** All that is read of a location. */
export const ROUTED_OF_LOCATION = [
  ...(["instanceId", "epoch", "deploymentId", "release", "nodeId"] as const),
  ...(["desired", "state", "health", "ports"] as const),
] as const satisfies readonly (keyof Location)[];

type RoutedNode = Pick<Node, (typeof ROUTED_OF_NODE)[number]>;
type RoutedLocation = Pick<Location, (typeof ROUTED_OF_LOCATION)[number]>;

/**
 * The configuration that sends each route to the instances that serve: meant to run, running, well,
 * of the newest placement of their instance that is all this, on nodes that are not down.
 * Everything is named after its deployment, whose id no other tenant can have. A route that nothing
 * serves keeps its router and an empty server list, which Traefik answers with 503; sections
 * without a router are left out, because Traefik refuses a configuration with an empty `routers` as
 * a whole.
 */
export function traefikConfig(
  routes: readonly Route[],
  locations: readonly RoutedLocation[],
  nodes: readonly RoutedNode[],
): TraefikDynamic {
  const targets = targetsByRelease(locations, nodes);
  const sections = { http: emptySection(), tcp: emptySection() };
  const members = [...Map.groupBy(routes, route => route.deploymentId).values()].flatMap(own =>
    membersOf(own, targets.get(own[0]!.deploymentId) ?? new Map()),
  );
  const shared = Map.groupBy(members.sort(byName), ({ route }) => `${route.tenantId}\n${ruleKey(route)}`);
  for (const group of shared.values()) addRouter(sections[group[0]!.route.kind], group);
  return {
    ...(Object.keys(sections.http.routers).length === 0 ? {} : { http: withoutEmpty(sections.http) }),
    ...(Object.keys(sections.tcp.routers).length === 0 ? {} : { tcp: withoutEmpty(sections.tcp) }),
  };
}

/** Where a deployment's instances can be reached. */
interface Target {
  readonly address: string;
  readonly ports: readonly PortBinding[];
}

/** A route that the edges get, with the servers that it leads to. */
interface Member {
  readonly route: Route;
  /** Its name at the edge; of an older release it is another one than that of its successor. */
  readonly name: string;
  readonly servers: readonly string[];
}

type Targets = ReadonlyMap<number, readonly Target[]>;

/**
 * The routes of one deployment. They are those of its newest release that serves: what an update
 * brings is not routed before it can answer. What only an older release routes stays while that one
 * serves, so that an update which changes a domain takes no request away from those who ask at the
 * old one. What both route goes to both, each at the port that its own release names.
 */
function membersOf(routes: readonly Route[], targets: Targets): readonly Member[] {
  const releases = [...new Set(routes.map(route => route.release))].sort((a, b) => b - a);
  const newest = releases[0]!;
  const ofRelease = (release: number): readonly Route[] => routes.filter(route => route.release === release);
  // What runs of a release without routes of its own has always had those of the newest.
  const routedBy = (release: number): number => (releases.includes(release) ? release : newest);
  const serving = [...new Set([...targets.keys()].map(routedBy))].sort((a, b) => b - a);
  const leading = serving[0] ?? newest;
  const serversFor = (route: Route): readonly string[] =>
    [...targets]
      .flatMap(([release, some]) => {
        const by = routedBy(release);
        const own = by === route.release ? route : sameIn(ofRelease(by), route);
        return own === undefined ? [] : serversOf(own, some);
      })
      .sort();
  const members: Member[] = [];
  for (const release of serving.length === 0 ? [newest] : serving)
    for (const route of ofRelease(release)) {
      const isOlder = release !== leading;
      if (isOlder && members.some(one => one.route.release !== release && takesAlso(one.route, route))) continue;
      const name = isOlder ? `${nameOf(route)}.r${release}` : nameOf(route);
      members.push({ route, name, servers: serversFor(route) });
    }
  const isNew = (route: Route): boolean =>
    !members.some(one => one.name === nameOf(route) || ruleKey(one.route) === ruleKey(route));
  const coming = leading === newest ? [] : ofRelease(newest).filter(isNew);
  return [...members, ...coming.map(route => ({ route, name: nameOf(route), servers: [] }))];
}

/** Whether a newer route takes the requests of an older one, with TLS or without. */
function takesAlso(newer: Route, older: Route): boolean {
  return textKey(newer) === textKey(older);
}

/**
 * Equal for routes that take the same requests. One rule with TLS and one without take different
 * ones: Traefik's own way to have both.
 */
function ruleKey(route: Route): string {
  return `${textKey(route)}\n${route.tls}`;
}

function textKey({ kind, rule, entryPoints, domain, path }: Route): string {
  return [kind, rule, entryPoints.join(","), domain, path].join("\n");
}

/** The route of another release that takes the same requests, or did before TLS was changed. */
function sameIn(routes: readonly Route[], route: Route): Route | undefined {
  return routes.find(one => ruleKey(one) === ruleKey(route)) ?? routes.find(one => textKey(one) === textKey(route));
}

/**
 * Adds a router for routes that share their rule; where several deployments share it, each gets
 * requests by its weight.
 */
function addRouter(section: TraefikSection, members: readonly Member[]): void {
  const [{ route: first, name }] = members as readonly [Member, ...Member[]];
  for (const { route, name: own, servers } of members)
    section.services[own] = { loadBalancer: loadBalancerOf(route, servers) };
  let service = name;
  if (members.length > 1) {
    service = `${name}.weighted`;
    // What has no server would answer its share of the requests with 503 while others could serve
    // them.
    const able = members.filter(({ servers }) => servers.length > 0);
    const used = able.length > 0 ? able : members;
    section.services[service] = {
      weighted: { services: used.map(({ route, name: own }) => ({ name: own, weight: route.weight })) },
    };
  }
  // An older release may say something else by the same name.
  const suffix = name.slice(nameOf(first).length);
  const middlewares = first.middlewares.map(({ name: own, options }) => {
    const full = `${first.deploymentId}.${first.container}.${own}${suffix}`;
    (section.middlewares ??= {})[full] = { ...options };
    return full;
  });
  const servers = members.reduce((count, member) => count + member.servers.length, 0);
  if (first.kind === "http" && servers > 1)
    middlewares.push(retryOn(section, Math.min(servers * TRIES_PER_SERVER, MOST_TRIES)));
  section.routers[name] = {
    rule: first.rule,
    service,
    ...(first.entryPoints.length === 0 ? {} : { entryPoints: first.entryPoints }),
    ...(first.priority === undefined ? {} : { priority: first.priority }),
    ...(middlewares.length === 0 ? {} : { middlewares }),
    ...(first.tls ? { tls: first.service["passthrough"] === true ? { passthrough: true } : {} } : {}),
  };
}

/** Other requests take turns as well, so a request may come to the same server twice. */
const TRIES_PER_SERVER = 2;
/** A request waits for no longer than this many servers that do not answer. */
const MOST_TRIES = 6;

/**
 * Tries another server where one cannot be connected to, so that nobody notices a node that died
 * before anybody has found out, or while nobody is there to tell. Traefik repeats nothing of which
 * a server may have seen a part. The name has no dot, so it is no tenant's.
 */
function retryOn(section: TraefikSection, tries: number): string {
  const name = `skep-retry-${tries}`;
  (section.middlewares ??= {})[name] = { retry: { attempts: tries } };
  return name;
}

function loadBalancerOf(route: Route, servers: readonly string[]): Record<string, unknown> {
  const { scheme: _scheme, tls, passthrough: _passthrough, healthCheck, ...options } = route.service;
  if (route.kind === "tcp") {
    return { servers: servers.map(address => ({ address, ...(tls === true ? { tls } : {}) })), ...options };
  }
  return {
    servers: servers.map(url => ({ url })),
    ...options,
    // Whatever was recorded: a redirect would lead the edge wherever an app says.
    ...(isEmptyObject(healthCheck ?? {})
      ? {}
      : { healthCheck: { ...(healthCheck as object), followRedirects: false } }),
    ...(route.balancing === "p2c" ? { strategy: "p2c" } : {}),
  };
}

function serversOf(route: Route, targets: readonly Target[]): readonly string[] {
  const { scheme } = route.service;
  const servers = targets.flatMap(({ address, ports }) => {
    const port = ports.find(
      one => one.container === route.container && one.containerPort === route.targetPort && one.protocol === "tcp",
    );
    if (port === undefined) return [];
    const host = address.includes(":") ? `[${address}]` : address;
    return [
      route.kind === "tcp"
        ? `${host}:${port.hostPort}`
        : `${typeof scheme === "string" ? scheme : "http"}://${host}:${port.hostPort}`,
    ];
  });
  return servers;
}

function targetsByRelease(
  locations: readonly RoutedLocation[],
  nodes: readonly RoutedNode[],
): ReadonlyMap<DeploymentId, ReadonlyMap<number, readonly Target[]>> {
  const byId = new Map<NodeId, RoutedNode>(nodes.map(node => [node.id, node]));
  const newest = new Map<string, RoutedLocation>();
  for (const location of locations) {
    if (!isServing(location, byId.get(location.nodeId))) continue;
    const before = newest.get(location.instanceId);
    if (before === undefined || before.epoch < location.epoch) newest.set(location.instanceId, location);
  }
  const targets = new Map<DeploymentId, Map<number, Target[]>>();
  for (const { deploymentId, release, nodeId, ports } of newest.values()) {
    const releases = targets.get(deploymentId) ?? new Map<number, Target[]>();
    targets.set(deploymentId, releases);
    const target = { address: byId.get(nodeId)!.address, ports };
    const known = releases.get(release);
    if (known === undefined) releases.set(release, [target]);
    else known.push(target);
  }
  return targets;
}

function nameOf(route: Route): string {
  return `${route.deploymentId}.${route.router}`;
}

function byName(a: Member, b: Member): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}

function emptySection(): TraefikSection {
  return { routers: {}, services: {} };
}

/** The only things that Traefik takes as an empty object. */
const MAY_BE_EMPTY = new Set(["tls", "cookie", "compress", "contentType"]);

/** Drops empty objects at any depth: a single one makes Traefik refuse everything. */
function withoutEmpty<T>(value: T): T {
  if (Array.isArray(value) || value === null || typeof value !== "object") return value;
  const fields = Object.entries(value)
    .map(([key, field]) => [key, withoutEmpty(field)] as const)
    .filter(([key, field]) => MAY_BE_EMPTY.has(key) || !isEmptyObject(field));
  return Object.fromEntries(fields) as T;
}

function isEmptyObject(value: unknown): boolean {
  return value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 0;
}
