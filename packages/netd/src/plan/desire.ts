import { contains, formatBlock, overlap, parseBlock, type Block } from "@skep/core/network/block.ts";
import type { Fault } from "../state/fault.ts";
import type { NetNode, NetPeer, NetState } from "../state/net-state.ts";
import { linkName, macOf, VXLAN_DEVICE } from "./names.ts";
import { neighbourKey, type Link, type Neighbour, type Plane, type Route, type Tunnel } from "./plane.ts";
import type { ForeignRoute, Survey } from "./survey.ts";
import { rulesetFor, tunnelAddress } from "./walls.ts";

/** What a VXLAN header takes of each packet. */
const VXLAN_OVERHEAD = 50;

/** Of a link about which nothing is known. */
const USUAL_MTU = 1_500;

/** What a node's network is to be, and what stands in the way. */
export interface Desire {
  readonly plane: Plane;
  readonly faults: readonly Fault[];
}

/** Turns a state into what the kernel is to show, on a node where there is this beside us. */
export function desire(state: NetState, survey: Survey): Desire {
  const { usable, faults } = leaveOutOverlaps(state, survey);
  const { node, peers, attachments, vxlan } = usable;
  const tunnelled = peers.filter(peer => peer.way === "vxlan");
  const uplink = survey.links.find(link => link.addresses.includes(node.address))?.mtu ?? USUAL_MTU;
  const mtu = uplink - (vxlan === undefined ? 0 : VXLAN_OVERHEAD);
  const links = attachments.map((one): Link => {
    const { instanceId, epoch, netns, address } = one;
    const copy = { instanceId, epoch };
    return { name: linkName(one), copy, netns, address, mac: macOf(address), mtu, isReady: true };
  });
  const tunnel: Tunnel | undefined = vxlan && { ...vxlan, ...tunnelEnd(node), local: node.address, mtu };
  const routes = [...ownRoutes(state, faults), ...links.map(link => linkRoute(link, node)), ...peerRoutes(node, peers)];
  const neighbours: readonly Neighbour[] = [
    ...links.map(({ name, address, mac }) => ({ device: name, address, mac })),
    ...tunnelled.map(peer => ({ device: VXLAN_DEVICE, ...tunnelEnd(peer) })),
  ];
  const plane: Plane = {
    links: new Map(links.map(link => [link.name, link])),
    tunnel,
    routes: new Map(routes.map(route => [route.to, route])),
    neighbours: new Map(neighbours.map(one => [neighbourKey(one), one])),
    tunnelEnds: new Map(tunnelled.map(peer => [tunnelEnd(peer).mac, peer.address])),
    hasGateway: true,
    isForwarding: true,
    passesDocker: true,
    ruleset: rulesetFor(usable),
  };
  return { plane, faults: [...faults, ...firewallFaults(survey)] };
}

function tunnelEnd({ block }: NetNode): { readonly address: string; readonly mac: string } {
  const address = tunnelAddress(block);
  return { address, mac: macOf(address) };
}

/** An address of our block that no instance has leads nowhere, and not to the internet either. */
function ownRoutes({ node }: NetState, faults: readonly Fault[]): readonly Route[] {
  if (faults.some(fault => fault.reason === "block-overlaps" && fault.nodeId === node.nodeId)) return [];
  return [{ to: formatBlock(node.block), kind: "refuse", device: undefined, via: undefined, source: undefined }];
}

function linkRoute({ name, address }: Link, node: NetNode): Route {
  return { to: `${address}/32`, kind: "link", device: name, via: undefined, source: node.address };
}

function peerRoutes(node: NetNode, peers: readonly NetPeer[]): readonly Route[] {
  return peers.map((peer): Route => {
    const to = formatBlock(peer.block);
    if (peer.way === "direct") return { to, kind: "via", via: peer.address, device: undefined, source: node.address };
    // From the tunnel's own address: the peer's kernel drops what comes out of the tunnel with an
    // address that it would not answer through it.
    return { to, kind: "via", via: tunnelAddress(peer.block), device: VXLAN_DEVICE, source: tunnelAddress(node.block) };
  });
}

/** Leaves out the blocks that mean something else on this node already. */
function leaveOutOverlaps(state: NetState, survey: Survey): { usable: NetState; faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const isFree = ({ nodeId, block }: NetNode): boolean => {
    const route = survey.routes.find(one => isInTheWay(one, block));
    if (route === undefined) return true;
    const message = `The block ${formatBlock(block)} of node ${nodeId} overlaps with ${route.to}, to which this node has a way of its own by ${route.device}: nothing is sent to the block. Take another SKEP_ADDRESS_POOL, or another block for ${route.device}.`;
    faults.push({ reason: "block-overlaps", nodeId, message });
    return false;
  };
  const attachments = isFree(state.node) ? state.attachments : [];
  const peers = state.peers.filter(isFree);
  const vxlan = peers.some(peer => peer.way === "vxlan") ? state.vxlan : undefined;
  return { usable: { ...state, attachments, peers, vxlan }, faults };
}

/** A wider route that only passes through, like that of a whole company, loses against ours. */
function isInTheWay({ to, isOwn }: ForeignRoute, block: Block): boolean {
  const theirs = parseBlock(to);
  if (theirs === undefined || !overlap(theirs, block)) return false;
  return isOwn || contains(block, theirs);
}

function firewallFaults({ firewalls }: Survey): readonly Fault[] {
  return firewalls.map(({ name, chain }) => ({
    reason: "firewall",
    message: `${name} drops what this node forwards (${chain}), the packets of tenants included: let it pass what comes in and goes out by the interfaces skn+.`,
  }));
}
