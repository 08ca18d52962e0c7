import { formatAddress, formatBlock, parseAddress, parseBlock, type Block } from "@skep/core/network/block.ts";
import { MOST_NETWORKS, type NetState, type Reach } from "../state/net-state.ts";
import { disjoint, elementOf, NOT_INTERNET, PROTOCOL_NUMBER } from "./blocks.ts";
import { linkName } from "./names.ts";
import type { Ruleset, Sets } from "./plane.ts";
import { reachElements } from "./reaches.ts";
import { rulesText, SET_TYPES } from "./rules.ts";

/** The address that a node itself has on the tunnel. */
export function tunnelAddress(block: Block): string {
  return formatAddress(block.base);
}

/** The table for a state: how much there is of everything changes its sets alone. */
export function rulesetFor(state: NetState): Ruleset {
  const { pool, node, vxlan } = state;
  const rules = rulesText({
    pool: formatBlock(pool),
    block: formatBlock(node.block),
    address: node.address,
    tunnelAddress: tunnelAddress(node.block),
    vxlanPort: vxlan?.port,
  });
  const found = { ...membersOf(state), ...nodesOf(state), ...publishedOf(state), ...outsideOf(state) };
  const sets: Sets = new Map(
    Object.keys(SET_TYPES).map(name => [name, new Map((found[name] ?? []).map(toEntry))] as const),
  );
  return { rules, sets };
}

/** The elements of each set that is not empty; an element of a map with what it leads to. */
type Found = Readonly<Record<string, readonly (string | readonly [string, string])[]>>;

function toEntry(element: string | readonly [string, string]): readonly [string, string] {
  return typeof element === "string" ? [element, ""] : element;
}

/** Who is in which network, and which sandbox has which address. */
function membersOf({ attachments, remotes }: NetState): Found {
  const all = [...attachments, ...remotes];
  const networks = Array.from({ length: MOST_NETWORKS }, (_, index) => {
    const here = all.flatMap(({ address, networks: ids }) => {
      const id = ids[index];
      return id === undefined ? [] : [[address, String(id)] as const];
    });
    return [`net${index + 1}`, here] as const;
  });
  return {
    ...Object.fromEntries(networks),
    members: all.flatMap(({ address, networks: ids }) => ids.map(id => `${address} . ${id}`)),
    sandboxes: attachments.map(one => `${linkName(one)} . ${one.address}`),
    locals: attachments.map(one => one.address),
    internal: attachments.filter(one => one.isInternal).map(one => one.address),
  };
}

function nodesOf({ node, peers, vxlan, walls }: NetState): Found {
  const tunnels = [...(vxlan === undefined ? [] : [node]), ...peers.filter(peer => peer.way === "vxlan")];
  const speaking = [...[node, ...peers].map(one => one.address), ...tunnels.map(one => tunnelAddress(one.block))];
  const more = peers.flatMap(peer => peer.moreAddresses);
  const single = speaking.map(text => ({ base: parseAddress(text) ?? 0, bits: 32 }));
  return {
    nodes: [...speaking, ...more],
    edges: disjoint([...single, ...walls.edgeSources]).map(elementOf),
    edge_tcp: walls.edgePorts.filter(one => one.protocol === "tcp").map(one => String(one.port)),
    edge_udp: walls.edgePorts.filter(one => one.protocol === "udp").map(one => String(one.port)),
    node_ports: peers.flatMap(peer =>
      [peer.address, ...peer.moreAddresses].flatMap(address =>
        peer.published.map(({ protocol, port }) => `${address} . ${PROTOCOL_NUMBER[protocol]} . ${port}`),
      ),
    ),
  };
}

function publishedOf({ attachments }: NetState): Found {
  const all = attachments.flatMap(({ address, published }) => published.map(one => ({ address, ...one })));
  return {
    published: all.map(
      ({ address, protocol, hostPort, containerPort }) =>
        [`${PROTOCOL_NUMBER[protocol]} . ${hostPort}`, `${address} . ${containerPort}`] as const,
    ),
    published_to: all.map(
      ({ address, protocol, containerPort }) => `${PROTOCOL_NUMBER[protocol]} . ${address} . ${containerPort}`,
    ),
  };
}

/** What instances reach of the rest of the world. */
function outsideOf({ attachments, walls }: NetState): Found {
  const allowed = reachElements(walls.allowed);
  const tenants = [...walls.egress.keys()].toSorted();
  const marks = new Map(tenants.map((tenant, index) => [tenant, index + 1]));
  const byTenant = tenants.map(tenant => withMark(marks.get(tenant) ?? 0, walls.egress.get(tenant) ?? []));
  return {
    allowed: allowed.any,
    allowed_ports: allowed.ports,
    denied: disjoint([...NOT_INTERNET.flatMap(text => parseBlock(text) ?? []), ...walls.denied]).map(elementOf),
    egress: attachments.flatMap(({ address, tenantId }) => {
      const mark = marks.get(tenantId);
      return mark === undefined ? [] : [[address, String(mark)] as const];
    }),
    egress_any: byTenant.flatMap(one => one.any),
    egress_ports: byTenant.flatMap(one => one.ports),
  };
}

function withMark(mark: number, reaches: readonly Reach[]) {
  const { any, ports } = reachElements(reaches);
  return { any: any.map(one => `${mark} . ${one}`), ports: ports.map(one => `${mark} . ${one}`) };
}
