import { NetWay } from "@skep/api/gen/skep/v1/net_pb.ts";
import type * as proto from "@skep/api/gen/skep/v1/net_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import {
  contains,
  formatAddress,
  formatBlock,
  holds,
  overlap,
  parseAddress,
  parseBlock,
} from "@skep/core/network/block.ts";
import type { Block } from "@skep/core/network/block.ts";
import type { Fault } from "./fault.ts";
import type { NetNode, NetPeer, NetState, Vxlan, Way } from "./net-state.ts";
import { readAttachments, readNetworks, readRemotes } from "./read-members.ts";
import { readNames } from "./read-names.ts";
import { readPort } from "./read-port.ts";
import { readWalls } from "./read-walls.ts";

/** A state as it was told, and what of it cannot be made. */
export interface ReadState {
  readonly state: NetState;
  readonly faults: readonly Fault[];
}

/** VXLAN of Swarm's own networks. */
const SWARM_VXLAN_PORT = 4_789;

/**
 * Checks a message. A part that is wrong is left out and named, and the rest stands.
 * @throws SkepError `invalid_argument` where the node itself or the pool is wrong: then nothing of
 * it can be meant.
 */
export function readState(message: proto.NetState): ReadState {
  const faults: Fault[] = [];
  const pool = parseBlock(message.pool) ?? refuse(`the pool "${message.pool}" is no IPv4 block`);
  const node = readOwnNode(message.node, pool);
  const vxlan = readVxlan(message.vxlan);
  const peers = readPeers(message.peers, { pool, node, vxlan }, faults);
  const networks = readNetworks(message.networks);
  const attachments = readAttachments(message.attachments, { networks, node }, faults);
  return {
    state: {
      sessionId: message.sessionId,
      revision: Number(message.revision),
      pool,
      node,
      peers,
      attachments,
      remotes: readRemotes(message.remotes, { networks, node, pool }, faults),
      walls: readWalls(message.walls, faults),
      names: readNames(message.names, attachments, faults),
      vxlan: peers.some(peer => peer.way === "vxlan") ? vxlan : undefined,
    },
    faults,
  };
}

function refuse(why: string): never {
  throw new SkepError("invalid_argument", "NET_STATE_INVALID", `The state of the network cannot be made: ${why}.`);
}

function readOwnNode(message: proto.NetNode | undefined, pool: Block): NetNode {
  const node = message && readNode(message, pool);
  return node ?? refuse(`the node's block "${message?.block}" or address "${message?.address}" does not fit the pool`);
}

/** A node whose block is of the pool, and whose address is not. */
function readNode({ nodeId, block: text, address }: proto.NetNode | proto.NetPeer, pool: Block): NetNode | undefined {
  const block = parseBlock(text);
  const isRight = block !== undefined && contains(pool, block) && parseAddress(address) !== undefined;
  return isRight && block.bits < 31 && !holds(pool, address) ? { nodeId, block, address } : undefined;
}

function readVxlan(message: proto.NetVxlan | undefined): Vxlan | undefined {
  const { vni = 0, port = 0 } = message ?? {};
  const isRight = vni >= 1 && vni < 2 ** 24 && port >= 1 && port <= 65_535 && port !== SWARM_VXLAN_PORT;
  return isRight ? { vni, port } : undefined;
}

interface Around {
  readonly pool: Block;
  readonly node: NetNode;
  readonly vxlan: Vxlan | undefined;
}

function readPeers(messages: readonly proto.NetPeer[], around: Around, faults: Fault[]): readonly NetPeer[] {
  const peers = messages.flatMap(message => readPeer(message, around, faults) ?? []);
  const all = [around.node, ...peers];
  return peers.filter(peer => {
    const other = all.find(one => one !== peer && overlap(one.block, peer.block));
    if (other === undefined) return true;
    const message = `Nodes ${peer.nodeId} and ${other.nodeId} both have addresses of ${formatBlock(peer.block)}: nothing is sent there. Give one of them another block; after a restore of older records this mends itself once both agents have reported.`;
    faults.push({ reason: "block-shared", nodeId: peer.nodeId, message });
    return false;
  });
}

function readPeer(message: proto.NetPeer, { pool, vxlan }: Around, faults: Fault[]): NetPeer | undefined {
  const { nodeId } = message;
  const node = readNode(message, pool);
  const way = readWay(message.way);
  const about = `to node ${nodeId}`;
  if (node === undefined) {
    const why = `its block "${message.block}" or its address "${message.address}" does not fit the pool ${formatBlock(pool)}`;
    faults.push({ reason: "peer-invalid", nodeId, message: `There is no way ${about}: ${why}.` });
    return undefined;
  }
  const missing = whyNoWay(message.way, vxlan);
  if (missing !== undefined || way === undefined) {
    faults.push({ reason: "way-unavailable", nodeId, message: `There is no way ${about}: ${missing}.` });
    return undefined;
  }
  const moreAddresses = message.moreAddresses.flatMap(text => {
    const address = parseAddress(text);
    return address === undefined ? [] : [formatAddress(address)];
  });
  return { ...node, way, moreAddresses, published: message.published.flatMap(port => readPort(port) ?? []) };
}

function readWay(way: NetWay): Way | undefined {
  if (way === NetWay.DIRECT) return "direct";
  return way === NetWay.VXLAN ? "vxlan" : undefined;
}

function whyNoWay(way: NetWay, vxlan: Vxlan | undefined): string | undefined {
  if (way === NetWay.WIREGUARD) return "WireGuard is not built yet; choose `direct` or `vxlan`";
  if (way === NetWay.VXLAN && vxlan === undefined)
    return `VXLAN needs an id below 2^24 and a UDP port other than ${SWARM_VXLAN_PORT}, which is Swarm's`;
  return readWay(way) === undefined ? "this version of netd does not know that kind of way; update netd" : undefined;
}
