import type { World } from "../world/world.ts";
import type { PortBinding } from "../model/instance.ts";
import { SPEC_BUDGET_BYTES } from "../model/assignment.ts";
import type { Node } from "../model/node.ts";
import { slotOfNode } from "../model/node-slot.ts";
import { satisfies } from "../model/constraint.ts";
import { volumesOf } from "../model/volume.ts";
import { needsOf } from "../placement/fleet-of-world.ts";
import type { PlacementRequest } from "../placement/place.ts";

/** What one node holds, counted the plain way. */
interface Held {
  readonly node: Node;
  readonly instances: { readonly request: PlacementRequest; readonly ports: readonly PortBinding[] }[];
  lastPlaced: number;
}

/**
 * Places requests one by one on nodes without locations: filters all nodes, sorts what is left,
 * takes the first. It shares no code with the planner but the reading of constraints and of needs:
 * the reference for its results, and the baseline for its speed.
 */
export function placeNaively(
  world: World,
  requests: readonly PlacementRequest[],
  tenantsOnManagers: "avoid" | "never" | "allow" = "avoid",
): {
  readonly placed: readonly {
    readonly instanceId: string;
    readonly nodeId: string;
    readonly ports: readonly PortBinding[];
  }[];
  readonly refused: readonly string[];
} {
  const fleet: Held[] = world.nodes.map(node => ({ node, instances: [], lastPlaced: node.lastPlaced }));
  const placed: { instanceId: string; nodeId: string; ports: readonly PortBinding[] }[] = [];
  const refused: string[] = [];
  const homes = new Map<string, string>(
    world.volumes.flatMap(one => (one.state === "kept" ? [[`${one.owner}/${one.name}`, one.nodeId]] : [])),
  );
  const avoidances = requests.flatMap(({ need }) => need.avoid.map(other => [need.deploymentId, other] as const));
  for (const request of requests) {
    const quota = world.tenants.find(tenant => tenant.id === request.need.tenantId)?.quota.instances ?? Infinity;
    const able = placed.length >= quota ? [] : fleet.filter(held => fits(held, request, avoidances, homes, world));
    const isAtHome = placesOf(request, homes, world).size > 0;
    const isKeptOff = tenantsOnManagers === "never" && !isAtHome;
    const allowed = able.filter(held => !isKeptOff || !isOfControlPlane(held.node));
    const all = withRoomForAll(allowed, request, avoidances, homes, world);
    const workers = all.filter(held => !isOfControlPlane(held.node));
    const fitting = tenantsOnManagers === "avoid" && workers.length > 0 ? workers : all;
    const [best] = fitting.sort((a, b) => compare(a, b, request));
    if (best === undefined) {
      refused.push(request.instanceId);
      continue;
    }
    const ports = bind(best, request, world.placements + placed.length + 1)!;
    best.instances.push({ request, ports });
    best.lastPlaced = world.placements + placed.length + 1;
    for (const key of keysOf(request.need)) if (!homes.has(key)) homes.set(key, best.node.id);
    placed.push({ instanceId: request.instanceId, nodeId: best.node.id, ports });
  }
  return { placed, refused };
}

type Avoidances = readonly (readonly [string, string])[];
type Homes = ReadonlyMap<string, string>;

const keysOf = ({ volumes }: PlacementRequest["need"]): string[] => volumes.map(one => `${one.owner}/${one.name}`);

/** The wanted specs that mount volumes, as the volumes' keys, with the replicas of each. */
function mounting(
  world: World,
): readonly { readonly keys: readonly string[]; readonly id: string; readonly count: number }[] {
  return world.deployments.flatMap(({ id, tenantId, release, replicas }) => {
    const spec = world.releases.find(one => one.deploymentId === id && one.number === release)!.spec;
    const keys = volumesOf(tenantId, spec).map(one => `${one.owner}/${one.name}`);
    return keys.length === 0 ? [] : [{ keys, id, count: replicas }];
  });
}

/** All volumes that have to be where these are, found by going on until none is added. */
function beside(keys: readonly string[], world: World): ReadonlySet<string> {
  const found = new Set(keys);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const one of mounting(world))
      if (one.keys.some(key => found.has(key))) one.keys.forEach(key => found.add(key));
  }
  return found;
}

/** Where the volumes are, or else those that have to be beside them. */
function placesOf({ need }: PlacementRequest, homes: Homes, world: World): ReadonlySet<string> {
  const at = (keys: Iterable<string>): Set<string> => new Set([...keys].flatMap(key => homes.get(key) ?? []));
  const own = at(keysOf(need));
  return own.size > 0 ? own : at(beside(keysOf(need), world));
}

/** Of the nodes that take one of what has to be on one node, those that take all, if any do. */
function withRoomForAll(
  able: Held[],
  request: PlacementRequest,
  avoidances: Avoidances,
  homes: Homes,
  world: World,
): Held[] {
  const keys = beside(keysOf(request.need), world);
  const members = mounting(world).filter(one => one.count > 0 && one.keys.some(key => keys.has(key)));
  const copies = members.flatMap(({ id, count }) => Array.from({ length: count }, () => needsOf(world, 10)(id, 1)!));
  if (copies.length < 2 || placesOf(request, homes, world).size > 0) return able;
  const roomy = able.filter(held => {
    const { capacity } = held.node;
    const all = [...held.instances.map(one => one.request.need), ...copies];
    const sum = (of: (one: PlacementRequest["need"]) => number): number =>
      all.reduce((total, one) => total + of(one), 0);
    const most = (of: (one: PlacementRequest["need"]) => number, free: number): boolean =>
      copies.every(one => of(one) === 0) || sum(of) <= free;
    return (
      all.length <= capacity.instances &&
      most(one => one.cpuMillis, capacity.cpuMillis) &&
      most(one => one.memoryBytes, capacity.memoryBytes) &&
      copies.every(need => fits(held, { ...request, need, exclude: undefined }, avoidances, homes, world))
    );
  });
  return roomy.length > 0 ? roomy : able;
}

function fits(held: Held, request: PlacementRequest, avoidances: Avoidances, homes: Homes, world: World): boolean {
  const { need, exclude, slot } = request;
  const { node, instances } = held;
  if (node.availability !== "active" || node.liveness !== "ready" || node.id === exclude) return false;
  if (!need.constraints.every(constraint => satisfies(constraint, node))) return false;
  if (need.isGlobal && slotOfNode(node.id) !== slot) return false;
  if (instances.length >= node.capacity.instances) return false;
  const sum = (of: (one: PlacementRequest["need"]) => number): number =>
    instances.reduce((total, one) => total + of(one.request.need), of(need));
  if (need.cpuMillis > 0 && sum(one => one.cpuMillis) > node.capacity.cpuMillis) return false;
  if (need.memoryBytes > 0 && sum(one => one.memoryBytes) > node.capacity.memoryBytes) return false;
  if (need.largeSpec !== undefined) {
    const all = [...instances.map(one => one.request.need), need].flatMap(one => one.largeSpec ?? []);
    const held = new Map(all.map(one => [one.key, one.bytes]));
    if ([...held.values()].reduce((total, bytes) => total + bytes, 0) > SPEC_BUDGET_BYTES) return false;
  }
  if (need.maxPerNode !== undefined && ofDeployment(held, need.deploymentId) >= need.maxPerNode) return false;
  const enemies = avoidances.flatMap(([a, b]) => (a === need.deploymentId ? [b] : b === need.deploymentId ? [a] : []));
  const places = placesOf(request, homes, world);
  const own = new Set(keysOf(need).flatMap(key => homes.get(key) ?? []));
  if (own.size > 1 || (places.size > 0 && !places.has(node.id))) return false;
  if (need.volumes.some(one => one.isExternal && !homes.has(`${one.owner}/${one.name}`))) return false;
  if (enemies.some(enemy => ofDeployment(held, enemy) > 0)) return false;
  return bind(held, { need }) !== undefined;
}

/** The ports the node would give, or `undefined` when it cannot. */
function bind(
  { node, instances }: Held,
  { need }: Pick<PlacementRequest, "need">,
  placement = 0,
): readonly PortBinding[] | undefined {
  const taken = new Set(instances.flatMap(one => one.ports).map(port => `${port.hostPort}/${port.protocol}`));
  for (const { hostPort, protocol } of need.ports) {
    if (hostPort === undefined) continue;
    const key = `${hostPort}/${protocol}`;
    if (taken.has(key)) return undefined;
    taken.add(key);
  }
  const bound: PortBinding[] = [];
  const size = node.capacity.portTo - node.capacity.portFrom + 1;
  const range = Array.from({ length: size }, (_, at) => node.capacity.portFrom + ((placement + at) % size));
  for (const { container, containerPort, protocol, hostPort } of need.ports) {
    const port = hostPort ?? range.find(one => !taken.has(`${one}/${protocol}`));
    if (port === undefined) return undefined;
    taken.add(`${port}/${protocol}`);
    bound.push({ container, containerPort, protocol, hostPort: port });
  }
  return bound;
}

function compare(a: Held, b: Held, request: PlacementRequest): number {
  const left = rank(a, request);
  const right = rank(b, request);
  for (let at = 0; at < left.length; at++) if (left[at]! !== right[at]!) return left[at]! - right[at]!;
  return a.node.id < b.node.id ? -1 : 1;
}

function rank(held: Held, { need }: PlacementRequest): readonly number[] {
  const { capacity, load } = held.node;
  const needs = held.instances.map(one => one.request.need);
  const total = (of: (one: PlacementRequest["need"]) => number): number => needs.reduce((sum, one) => sum + of(one), 0);
  switch (need.strategy) {
    case "least-loaded": {
      const cpu = (load?.cpuShare ?? 0) + total(one => one.expected.cpuMillis) / capacity.cpuMillis;
      const memory = (load?.memoryShare ?? 0) + total(one => one.expected.memoryBytes) / capacity.memoryBytes;
      const hasCopy = ofDeployment(held, need.deploymentId) > 0;
      return [Number(hasCopy), Math.max(cpu, memory), needs.length];
    }
    case "round-robin":
      return [held.lastPlaced];
    case "resource-based": {
      const cpu = 1 - (total(one => one.cpuMillis) + need.cpuMillis) / capacity.cpuMillis;
      const memory = 1 - (total(one => one.memoryBytes) + need.memoryBytes) / capacity.memoryBytes;
      return [(cpu + memory) / 2, needs.length];
    }
    case "spread":
      return [ofDeployment(held, need.deploymentId), needs.length];
  }
}

function isOfControlPlane({ role, labels }: Node): boolean {
  if (labels["skep.control"] === "false") return false;
  return labels["skep.control"] === "true" || role === "manager" || labels["postgres.replica"] === "1";
}

function ofDeployment(held: Held, deploymentId: string): number {
  return held.instances.filter(one => one.request.need.deploymentId === deploymentId).length;
}
