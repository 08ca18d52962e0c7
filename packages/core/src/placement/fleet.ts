import type { DeploymentId, Release } from "../model/deployment.ts";
import type { InstanceId, Location, ReleasedPort } from "../model/instance.ts";
import { isControlPlane } from "../model/node.ts";
import { slotOfNode } from "../model/node-slot.ts";
import type { Node, NodeId, TenantsOnManagers } from "../model/node.ts";
import { isLive, isShortOfRunning } from "../model/state.ts";
import { mountKey, type Volume } from "../model/volume.ts";
import type { Affinity, Together } from "./affinity.ts";
import type { Quota, Tenant, TenantId } from "../model/tenant.ts";
import { satisfies } from "../model/constraint.ts";
import type { Constraint } from "../model/constraint.ts";
import type { Need } from "./need.ts";
import { emptyPortBook, quarantinePort, reservedOf, takePort } from "./ports.ts";
import type { PortBook } from "./ports.ts";

/**
 * What a tenant holds. A slot counts once, however many locations it has for the moment of a move
 * or an update.
 */
export interface TenantUse {
  readonly quota: Quota;
  instances: number;
  cpuMillis: number;
  memoryBytes: number;
  readonly slots: Set<string>;
}

/**
 * All nodes as columns, in the order of their ids, with what is used of each. Filters and scores
 * read it, placing writes it; a number in a column is found at the node's index. Columns make
 * 100,000 decisions a second possible.
 */
export interface Fleet {
  readonly nodes: readonly Node[];
  readonly indexOf: ReadonlyMap<NodeId, number>;
  readonly cpuCapacity: Float64Array;
  readonly memoryCapacity: Float64Array;
  readonly countCapacity: Float64Array;
  /** Measured load as shares; 0 where it is not known. */
  readonly cpuMeasured: Float64Array;
  readonly memoryMeasured: Float64Array;
  readonly cpuUsed: Float64Array;
  readonly memoryUsed: Float64Array;
  readonly count: Int32Array;
  /** Expected use of what the measured load does not show yet. */
  readonly cpuSince: Float64Array;
  readonly memorySince: Float64Array;
  readonly lastPlaced: Float64Array;
  readonly tenantsOnManagers: TenantsOnManagers;
  /** 1 where the node is one of the control plane and is ranked behind all that are not. */
  readonly avoided: Uint8Array;
  readonly ports: (PortBook | undefined)[];
  /** How many ports of each node's range are reserved; worked out once, not for each ranking. */
  readonly reservedPorts: Int32Array;
  /**
   * Bytes of the large specs that each node holds, and by spec the nodes that hold it: each counts
   * once per node.
   */
  readonly specBytes: Float64Array;
  readonly specs: Map<string, Set<number>>;
  /** Instances of each deployment per node index. */
  readonly deployed: Map<DeploymentId, Map<number, number>>;
  /** Of those, the ones on their way out: retired, stopping, or of a release that gives way. */
  readonly leaving: Map<DeploymentId, Map<number, number>>;
  /** For a deployment, those that declared that they must not share a node with it. */
  readonly avoidedBy: Map<DeploymentId, Set<DeploymentId>>;
  /** By what a mount asks for (`mountKey`), the nodes that hold it; see `holdVolumes`. */
  readonly homes: Map<string, NodeId[]>;
  readonly tenants: Map<TenantId, TenantUse>;
  /** What has to be on one node; worked out for what mounts volumes alone. */
  readonly affinity: () => Affinity;
  /** `undefined` where it cannot be told. */
  readonly needOfRelease: (release: Release) => Need | undefined;
  /** Per constraint text: 1 where the node satisfies it. */
  readonly satisfied: Map<string, Uint8Array>;
  /** Per set of fixed filters: the indexes of the nodes that pass them all. */
  readonly candidates: Map<string, Int32Array>;
  /** Room for a ranking; only one is in use at a time. */
  readonly room: { readonly heap: Int32Array; readonly first: Float64Array; readonly second: Float64Array };
  placements: number;
  /** The slot of each node in global deployments; `undefined` until one asks. */
  nodeSlots: readonly number[] | undefined;
}

/** What live locations take of the nodes. */
export type Counts = Pick<
  Fleet,
  | "cpuUsed"
  | "memoryUsed"
  | "count"
  | "cpuSince"
  | "memorySince"
  | "specBytes"
  | "specs"
  | "deployed"
  | "leaving"
  | "avoidedBy"
  | "tenants"
>;

/** What a fleet is made from; `needOf` answers `undefined` for a release that is not recorded. */
export interface FleetSource {
  readonly tenants: Iterable<Tenant>;
  readonly nodes: Iterable<Node>;
  readonly locations: Iterable<Location>;
  /** Of other deployments, what their live locations take; it stays as it is. */
  readonly standing?: Counts | undefined;
  /** Locations of those, for their host ports. */
  readonly others: readonly Location[];
  readonly releasedPorts: readonly ReleasedPort[];
  /** Ports that were released are free from their time on. */
  readonly now: number;
  readonly volumes: Iterable<Volume>;
  readonly affinity: () => Affinity;
  readonly needOfRelease: (release: Release) => Need | undefined;
  readonly placements: number;
  readonly tenantsOnManagers: TenantsOnManagers;
  readonly needOf: (deploymentId: DeploymentId, release: number) => Need | undefined;
  readonly slotOf: (instanceId: InstanceId) => number | undefined;
  /** Whether the location is on its way out, so that a spread need not count with it. */
  readonly isLeaving: (location: Location) => boolean;
}

/**
 * Lays the nodes out as columns and counts what every live location uses. Host ports count as taken
 * for as long as a location is recorded at all, since what ended may still hold them; what is
 * completed may not.
 */
export function openFleet(source: FleetSource): Fleet {
  const nodes = [...source.nodes].sort((a, b) => (a.id < b.id ? -1 : 1));
  const size = nodes.length;
  const { standing } = source;
  const fleet: Fleet = {
    nodes,
    indexOf: new Map(nodes.map((node, index) => [node.id, index])),
    cpuCapacity: new Float64Array(size),
    memoryCapacity: new Float64Array(size),
    countCapacity: new Float64Array(size),
    cpuMeasured: new Float64Array(size),
    memoryMeasured: new Float64Array(size),
    cpuUsed: standing?.cpuUsed.slice() ?? new Float64Array(size),
    memoryUsed: standing?.memoryUsed.slice() ?? new Float64Array(size),
    count: standing?.count.slice() ?? new Int32Array(size),
    cpuSince: standing?.cpuSince.slice() ?? new Float64Array(size),
    memorySince: standing?.memorySince.slice() ?? new Float64Array(size),
    lastPlaced: Float64Array.from(nodes, node => node.lastPlaced),
    tenantsOnManagers: source.tenantsOnManagers,
    avoided: Uint8Array.from(nodes, node => (source.tenantsOnManagers === "avoid" && isControlPlane(node) ? 1 : 0)),
    ports: nodes.map(() => undefined),
    reservedPorts: new Int32Array(size),
    specBytes: standing?.specBytes.slice() ?? new Float64Array(size),
    specs: new Map(standing?.specs),
    deployed: new Map(standing?.deployed),
    leaving: new Map(standing?.leaving),
    avoidedBy: new Map(Array.from(standing?.avoidedBy ?? [], ([id, by]) => [id, new Set(by)])),
    homes: new Map(),
    affinity: source.affinity,
    needOfRelease: source.needOfRelease,
    tenants: new Map(),
    satisfied: new Map(),
    candidates: new Map(),
    room: { heap: new Int32Array(size), first: new Float64Array(size), second: new Float64Array(size) },
    placements: source.placements,
    nodeSlots: undefined,
  };
  nodes.forEach((node, index) => layOut(fleet, node, index));
  for (const { id, quota } of source.tenants) {
    const use = standing?.tenants.get(id) ?? { instances: 0, cpuMillis: 0, memoryBytes: 0, slots: [] };
    fleet.tenants.set(id, { ...use, quota, slots: new Set(use.slots) });
  }
  for (const volume of source.volumes) {
    if (volume.state === "kept") addHome(fleet, mountKey(volume), volume.nodeId);
  }
  for (const location of source.locations) {
    const need = source.needOf(location.deploymentId, location.release);
    const live = isLive(location);
    const index = fleet.indexOf.get(location.nodeId);
    takePorts(fleet, location);
    if (index !== undefined) {
      const { load } = nodes[index]!;
      if (live && source.isLeaving(location)) countOn(fleet.leaving, location.deploymentId, index);
      if (live) occupy(fleet, index, location.deploymentId, need, load === undefined || isShortOfRunning(location));
    }
    if (live && need !== undefined) holdSlot(fleet, need, source.slotOf(location.instanceId) ?? 0);
    if (live && need !== undefined) declareAvoidance(fleet, need);
  }
  for (const location of source.others) takePorts(fleet, location);
  for (const { nodeId, protocol, hostPort, deploymentId, freeAt } of source.releasedPorts) {
    const index = fleet.indexOf.get(nodeId);
    if (index === undefined || freeAt <= source.now) continue;
    const { capacity } = nodes[index]!;
    quarantinePort((fleet.ports[index] ??= emptyPortBook(capacity)), capacity, protocol, hostPort, deploymentId);
  }
  return fleet;
}

function takePorts(fleet: Fleet, location: Location): void {
  // Its containers have ended, and its record stays.
  if (location.state === "completed") return;
  const index = fleet.indexOf.get(location.nodeId);
  if (index === undefined) return;
  if (location.ports.length > 0) {
    const { capacity } = fleet.nodes[index]!;
    const book = (fleet.ports[index] ??= emptyPortBook(capacity));
    for (const port of location.ports) takePort(book, capacity, port.protocol, port.hostPort);
  }
}

function layOut(fleet: Fleet, { capacity, load }: Node, index: number): void {
  fleet.cpuCapacity[index] = capacity.cpuMillis;
  fleet.memoryCapacity[index] = capacity.memoryBytes;
  fleet.countCapacity[index] = capacity.instances;
  fleet.reservedPorts[index] = reservedOf(capacity);
  fleet.cpuMeasured[index] = load?.cpuShare ?? 0;
  fleet.memoryMeasured[index] = load?.memoryShare ?? 0;
}

/**
 * Counts one more instance on a node. `unmeasured` adds what it is expected to use to the node's
 * load.
 */
export function occupy(
  fleet: Fleet,
  index: number,
  deploymentId: DeploymentId,
  need: Need | undefined,
  unmeasured: boolean,
): void {
  fleet.count[index]! += 1;
  countOn(fleet.deployed, deploymentId, index);
  if (need === undefined) return;
  fleet.cpuUsed[index]! += need.cpuMillis;
  fleet.memoryUsed[index]! += need.memoryBytes;
  if (need.largeSpec !== undefined && !holdsSpec(fleet, index, need)) {
    fleet.specBytes[index]! += need.largeSpec.bytes;
    fleet.specs.set(need.largeSpec.key, (fleet.specs.get(need.largeSpec.key) ?? new Set()).add(index));
  }
  if (!unmeasured) return;
  fleet.cpuSince[index]! += need.expected.cpuMillis;
  fleet.memorySince[index]! += need.expected.memoryBytes;
}

/** Whether a node has the large spec of a need already. */
export function holdsSpec(fleet: Fleet, index: number, { largeSpec }: Need): boolean {
  return largeSpec !== undefined && fleet.specs.get(largeSpec.key)?.has(index) === true;
}

/** The nodes that hold one of the need's volumes; an instance that needs it goes to no other. */
export function homesOf(fleet: Fleet, need: Need): readonly NodeId[] {
  return nodesWith(fleet, need.volumes.map(mountKey));
}

/**
 * Where none of its own volumes is anywhere: the nodes that hold one of those that have to be on
 * the same node as its own, since something else mounts both.
 */
export function nearOf(fleet: Fleet, need: Need): readonly NodeId[] {
  const group = togetherWith(fleet, need);
  return group === undefined || homesOf(fleet, need).length > 0 ? [] : nodesWith(fleet, group.keys);
}

/** What the need has to be together with; `undefined` where it mounts nothing, or is unknown. */
export function togetherWith(fleet: Fleet, { volumes }: Need): Together | undefined {
  const [some] = volumes;
  return some === undefined ? undefined : fleet.affinity().get(mountKey(some));
}

function nodesWith(fleet: Fleet, keys: Iterable<string>): readonly NodeId[] {
  const found = new Set<NodeId>();
  for (const key of keys) for (const nodeId of fleet.homes.get(key) ?? []) found.add(nodeId);
  return [...found].sort();
}

/** The node holds the need's volumes from now on, where nobody did before. */
export function holdVolumes(fleet: Fleet, need: Need, nodeId: NodeId): void {
  for (const volume of need.volumes) {
    const key = mountKey(volume);
    if (!fleet.homes.has(key)) addHome(fleet, key, nodeId);
  }
}

function addHome(fleet: Fleet, key: string, nodeId: NodeId): void {
  const known = fleet.homes.get(key);
  if (known === undefined) fleet.homes.set(key, [nodeId]);
  else if (!known.includes(nodeId)) known.push(nodeId);
}

/** The slot of each node, by index; a slot that two nodes share is the first one's. */
export function nodeSlotsOf(fleet: Fleet): readonly number[] {
  if (fleet.nodeSlots !== undefined) return fleet.nodeSlots;
  const seen = new Set<number>();
  fleet.nodeSlots = fleet.nodes.map(({ id }) => {
    const slot = slotOfNode(id);
    const isFirst = !seen.has(slot);
    seen.add(slot);
    return isFirst ? slot : -1;
  });
  return fleet.nodeSlots;
}

/** Counts a slot against its tenant's quota, once. */
export function holdSlot(fleet: Fleet, need: Need, slot: number): void {
  const use = fleet.tenants.get(need.tenantId);
  if (use === undefined || !isBounded(use.quota)) return;
  const key = slotKey(need, slot);
  if (use.slots.has(key)) return;
  use.slots.add(key);
  use.instances += 1;
  use.cpuMillis += need.limit.cpuMillis;
  use.memoryBytes += need.limit.memoryBytes;
}

/** Whether the tenant may hold this slot: it does already, or it stays within its quota with it. */
export function isWithinQuota(fleet: Fleet, need: Need, slot: number): boolean {
  const use = fleet.tenants.get(need.tenantId);
  if (use === undefined || !isBounded(use.quota) || use.slots.has(slotKey(need, slot))) return true;
  const { instances = Infinity, cpuMillis = Infinity, memoryBytes = Infinity } = use.quota;
  return (
    use.instances + 1 <= instances &&
    use.cpuMillis + need.limit.cpuMillis <= cpuMillis &&
    use.memoryBytes + need.limit.memoryBytes <= memoryBytes
  );
}

/**
 * Makes anti-affinity mutual: whom this one avoids must avoid it as well, whichever is placed
 * first.
 */
export function declareAvoidance(fleet: Fleet, need: Need): void {
  for (const other of need.avoid) {
    const known = fleet.avoidedBy.get(other);
    if (known === undefined) fleet.avoidedBy.set(other, new Set([need.deploymentId]));
    else known.add(need.deploymentId);
  }
}

/** Instances of a deployment on a node. */
export function deployedOn(fleet: Fleet, deploymentId: DeploymentId, index: number): number {
  return fleet.deployed.get(deploymentId)?.get(index) ?? 0;
}

/** Instances of a deployment on a node that are to stay there. */
export function stayingOn(fleet: Fleet, deploymentId: DeploymentId, index: number): number {
  return deployedOn(fleet, deploymentId, index) - (fleet.leaving.get(deploymentId)?.get(index) ?? 0);
}

function countOn(counts: Map<DeploymentId, Map<number, number>>, deploymentId: DeploymentId, index: number): void {
  let perNode = counts.get(deploymentId);
  if (perNode === undefined) counts.set(deploymentId, (perNode = new Map()));
  perNode.set(index, (perNode.get(index) ?? 0) + 1);
}

/**
 * Per node index, 1 where the node satisfies the constraint; worked out once per fleet and
 * constraint.
 */
export function satisfiedBy(fleet: Fleet, constraint: Constraint): Uint8Array {
  let mask = fleet.satisfied.get(constraint.text);
  if (mask === undefined) {
    mask = Uint8Array.from(fleet.nodes, node => (satisfies(constraint, node) ? 1 : 0));
    fleet.satisfied.set(constraint.text, mask);
  }
  return mask;
}

function slotKey(need: Need, slot: number): string {
  return `${need.deploymentId}/${slot}`;
}

function isBounded(quota: Quota): boolean {
  return quota.instances !== undefined || quota.cpuMillis !== undefined || quota.memoryBytes !== undefined;
}
