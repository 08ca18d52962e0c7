import type { Deployment, DeploymentSpec, Release } from "../model/deployment.ts";
import type { Location } from "../model/instance.ts";
import type { Node, NodeId } from "../model/node.ts";
import { isLive, isServing } from "../model/state.ts";
import type { TenantId } from "../model/tenant.ts";
import type { World } from "../world/world.ts";
import { holds, parseBlock, type Block } from "./block.ts";
import { networksOf } from "./membership.ts";
import { shareNetwork, type NameEntry, type TenantNames } from "./names.ts";

/** Another node, and which addresses are there. */
export interface Peer {
  readonly nodeId: NodeId;
  /** Where its peers reach it. */
  readonly address: string;
  readonly block: string;
}

/** Whose addresses are where. */
export interface NodeNetwork {
  /** Every node that has a block, the asked one included, by id. */
  readonly peers: readonly Peer[];
}

/** What one node is told of names and of other nodes. The same content is the same object. */
export interface NodeDirectory {
  readonly network: NodeNetwork;
  /** One for each tenant of which an instance with an address is on the node, by id. */
  readonly tenants: readonly TenantNames[];
  /** Tenants of which not all could be told. */
  readonly leftOut: readonly TenantId[];
  /** What it was made from. */
  readonly views: readonly TenantView[];
}

/** The directories of a world; the next ones are made from these and what changed. */
export interface Directories {
  readonly network: NodeNetwork;
  readonly tenants: ReadonlyMap<TenantId, TenantView>;
  /** One for each node; where nothing of it changed it is the same object. */
  readonly nodes: ReadonlyMap<NodeId, NodeDirectory>;
}

/** A tenant's names as no node in particular sees them. */
export interface TenantView {
  readonly tenantId: TenantId;
  /** All records that it was made from. */
  readonly basis: readonly unknown[];
  readonly entries: readonly NameEntry[];
  /** Networks of the tenant's instances on each node. */
  readonly networks: ReadonlyMap<NodeId, ReadonlySet<string>>;
  /** What nodes with the same networks are told, once. */
  readonly told: Map<string, TenantNames>;
}

/**
 * How many addresses of one tenant a node is told of, and of all: what a node's netd and the
 * messages to it have room for.
 */
export const MOST_ADDRESSES_OF_TENANT = 4_096;
/** See `MOST_ADDRESSES_OF_TENANT`. */
export const MOST_ADDRESSES = 16_384;
/** All names of a tenant come in one message, which takes 1 MiB on most servers. */
const MOST_CHARACTERS_OF_TENANT = 256 * 1024;

/**
 * Makes them. A tenant whose records are as they were keeps its very objects: this runs after each
 * look, and most looks change nobody's names.
 */
export function directoriesOf(world: World, before?: Directories): Directories {
  const parts = partsOf(world);
  const tenants = new Map<TenantId, TenantView>();
  for (const [tenantId, located] of parts.located) {
    const basis = basisOf(tenantId, located, parts);
    const known = before?.tenants.get(tenantId);
    const same = known !== undefined && isSame(known.basis, basis);
    tenants.set(tenantId, same ? known : viewOf(tenantId, located, basis, parts));
  }
  const network = networkOf(world.nodes, before?.network);
  const onNode = viewsByNode(tenants);
  const nodes = new Map<NodeId, NodeDirectory>();
  for (const { id } of world.nodes) {
    const views = onNode.get(id) ?? [];
    const known = before?.nodes.get(id);
    const same = known?.network === network && isSame(known.views, views);
    nodes.set(id, same ? known : directoryOf(id, network, views));
  }
  return { network, tenants, nodes };
}

function viewsByNode(tenants: ReadonlyMap<TenantId, TenantView>): ReadonlyMap<NodeId, readonly TenantView[]> {
  const onNode = new Map<NodeId, TenantView[]>();
  for (const view of [...tenants.values()].toSorted((a, b) => (a.tenantId < b.tenantId ? -1 : 1)))
    for (const nodeId of view.networks.keys()) {
      const known = onNode.get(nodeId);
      if (known === undefined) onNode.set(nodeId, [view]);
      else known.push(view);
    }
  return onNode;
}

function directoryOf(nodeId: NodeId, network: NodeNetwork, views: readonly TenantView[]): NodeDirectory {
  const tenants: TenantNames[] = [];
  const leftOut: TenantId[] = [];
  let room = MOST_ADDRESSES;
  for (const view of views) {
    const seen = seenFrom(view, view.networks.get(nodeId) ?? new Set());
    const told = within(seen, Math.min(room, MOST_ADDRESSES_OF_TENANT));
    for (const entry of told.entries) room -= countOf(entry);
    if (told.entries.length < seen.entries.length) leftOut.push(view.tenantId);
    tenants.push(told);
  }
  return { network, tenants, leftOut, views };
}

/** What shares a network with one of the tenant's instances on a node. */
function seenFrom(view: TenantView, networks: ReadonlySet<string>): TenantNames {
  const key = [...networks].toSorted().join(" ");
  const known = view.told.get(key);
  if (known !== undefined) return known;
  const entries = view.entries.filter(entry => shareNetwork(entry, networks));
  const seen = { tenantId: view.tenantId, entries };
  view.told.set(key, seen);
  return seen;
}

/** As many of the first entries as there is room for. */
function within(names: TenantNames, room: number): TenantNames {
  let [addresses, characters] = [room, MOST_CHARACTERS_OF_TENANT];
  const end = names.entries.findIndex(
    entry => (addresses -= countOf(entry)) < 0 || (characters -= charactersOf(entry)) < 0,
  );
  return end < 0 ? names : { tenantId: names.tenantId, entries: names.entries.slice(0, end) };
}

function countOf({ well, others }: NameEntry): number {
  return well.length + others.length;
}

/** About as many bytes as the entry takes in a message, and never fewer. */
function charactersOf(entry: NameEntry): number {
  const names = entry.networks.flatMap(({ name, aliases }) => [name, ...aliases]);
  const words = [entry.deployment, entry.project ?? "", entry.service ?? "", ...names];
  return words.reduce((sum, word) => sum + word.length + 4, 8) + countOf(entry) * 17;
}

interface Parts {
  readonly located: ReadonlyMap<TenantId, readonly Location[]>;
  readonly deployments: ReadonlyMap<TenantId, readonly Deployment[]>;
  readonly releases: ReadonlyMap<string, Release>;
  readonly nodes: ReadonlyMap<NodeId, Node>;
}

/** Only what has an address counts, and one that its own node can have. */
function partsOf({ nodes, locations, deployments, releases }: World): Parts {
  const blocks = new Map<NodeId, Block>();
  for (const { id, block } of nodes) {
    const parsed = block === undefined ? undefined : parseBlock(block);
    if (parsed !== undefined) blocks.set(id, parsed);
  }
  const located = new Map<TenantId, Location[]>();
  for (const location of locations) {
    const { address, nodeId, tenantId } = location;
    if (address === undefined || !isLive(location)) continue;
    const block = blocks.get(nodeId);
    if (block === undefined || !holds(block, address)) continue;
    const mine = located.get(tenantId);
    if (mine === undefined) located.set(tenantId, [location]);
    else mine.push(location);
  }
  const owned = deployments.filter(one => located.has(one.tenantId));
  const ids = new Set(owned.map(one => one.id));
  return {
    located,
    deployments: Map.groupBy(owned, one => one.tenantId),
    releases: new Map(releases.filter(one => ids.has(one.deploymentId)).map(one => [keyOf(one), one])),
    nodes: new Map(nodes.map(node => [node.id, node])),
  };
}

function keyOf(of: { readonly deploymentId: string; readonly number: number }): string {
  return `${of.deploymentId} ${of.number}`;
}

function basisOf(tenantId: TenantId, located: readonly Location[], { deployments, nodes }: Parts): readonly unknown[] {
  return [
    ...located.flatMap(location => [location, nodes.get(location.nodeId)?.liveness === "down"]),
    ...(deployments.get(tenantId) ?? []),
  ];
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

/** One entry for each release that runs, and for what is wanted though nothing of it runs. */
function viewOf(tenantId: TenantId, located: readonly Location[], basis: readonly unknown[], parts: Parts): TenantView {
  const entries: NameEntry[] = [];
  const networks = new Map<NodeId, Set<string>>();
  const byDeployment = Map.groupBy(located, one => one.deploymentId);
  for (const deployment of (parts.deployments.get(tenantId) ?? []).toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const mine = Map.groupBy(byDeployment.get(deployment.id) ?? [], one => one.release);
    const wanted = deployment.desired === "run" ? [deployment.release] : [];
    for (const number of [...new Set([...mine.keys(), ...wanted])].toSorted((a, b) => a - b)) {
      const spec = parts.releases.get(keyOf({ deploymentId: deployment.id, number }))?.spec;
      if (spec === undefined) continue;
      const here = mine.get(number) ?? [];
      entries.push(entryOf(deployment.name, spec, here, parts.nodes));
      for (const { nodeId } of here) {
        const known = networks.get(nodeId) ?? new Set<string>();
        for (const { name } of networksOf(spec)) known.add(name);
        networks.set(nodeId, known);
      }
    }
  }
  return { tenantId, basis, entries, networks, told: new Map() };
}

function entryOf(
  deployment: string,
  spec: DeploymentSpec,
  located: readonly Location[],
  nodes: ReadonlyMap<NodeId, Node>,
): NameEntry {
  const serving = located.filter(one => isServing(one, nodes.get(one.nodeId)));
  const addresses = (of: readonly Location[]): readonly string[] => of.flatMap(one => one.address ?? []).toSorted();
  return {
    deployment,
    project: spec.project,
    service: spec.service,
    networks: networksOf(spec).map(({ name, aliases }) => ({ name, aliases })),
    well: addresses(serving),
    others: addresses(located.filter(one => !serving.includes(one))),
  };
}

function networkOf(nodes: readonly Node[], before: NodeNetwork | undefined): NodeNetwork {
  const peers = nodes
    .flatMap(({ id, address, block }) => (block === undefined ? [] : [{ nodeId: id, address, block }]))
    .toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  const isSamePeer = (one: Peer, other: Peer | undefined): boolean =>
    one.nodeId === other?.nodeId && one.address === other.address && one.block === other.block;
  const same = before?.peers.length === peers.length && peers.every((one, at) => isSamePeer(one, before.peers[at]));
  return same ? before : { peers };
}
