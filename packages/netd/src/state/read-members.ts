import type * as proto from "@skep/api/gen/skep/v1/net_pb.ts";
import { holds, parseAddress, type Block } from "@skep/core/network/block.ts";
import type { Fault } from "./fault.ts";
import { MOST_NETWORKS, type Attachment, type NetNode, type Published, type Remote } from "./net-state.ts";
import { readProtocol } from "./read-port.ts";

/** Networks by id: whether a member may leave them. */
export type Networks = ReadonlyMap<number, { readonly isInternal: boolean }>;

/** Reads the networks. Marks of the kernel's are their ids, and 0 is no mark. */
export function readNetworks(messages: readonly proto.TenantNetwork[]): Networks {
  return new Map(messages.filter(({ id }) => id > 0).map(({ id, isInternal }) => [id, { isInternal }]));
}

/** Both are written into lines that programs read: nothing but these characters may stand there. */
const PATH = /^\/[A-Za-z0-9/._-]+$/;
const INSTANCE_ID = /^[A-Za-z0-9._-]{1,100}$/;

/** Reads the sandboxes; those that cannot be in the network are named. */
export function readAttachments(
  messages: readonly proto.NetAttachment[],
  { networks, node }: { readonly networks: Networks; readonly node: NetNode },
  faults: Fault[],
): readonly Attachment[] {
  const addresses = new Map<string, string>();
  const ports = new Map<string, string>();
  const copies = new Set<string>();
  return messages.flatMap(message => {
    const { instanceId, epoch, tenantId, address, netns } = message;
    const name = `${instanceId} (epoch ${epoch})`;
    const holder = addresses.get(address);
    const why =
      whyNot(message, networks, node) ??
      (copies.has(name) ? "it is told twice" : undefined) ??
      (holder === undefined ? undefined : `${holder} has its address ${address} too`);
    if (why !== undefined) {
      faults.push({ reason: "attachment-invalid", instanceId, epoch, message: `${name} is in no network: ${why}.` });
      return [];
    }
    copies.add(name);
    addresses.set(address, name);
    const published = readPublished(message, ports, faults);
    const isInternal = message.networks.length > 0 && message.networks.every(id => networks.get(id)?.isInternal);
    return [{ instanceId, epoch, tenantId, address, netns, networks: message.networks, isInternal, published }];
  });
}

function whyNot(message: proto.NetAttachment, networks: Networks, node: NetNode): string | undefined {
  const { instanceId, address, netns } = message;
  if (!INSTANCE_ID.test(instanceId)) return `"${instanceId}" is no id of an instance`;
  if (!PATH.test(netns) || netns.length > 120) return `"${netns}" is no path of a network namespace`;
  const isFirst = parseAddress(address) === node.block.base;
  if (!holds(node.block, address) || isFirst) return `its address "${address}" is none for instances of this node`;
  return whyNoNetworks(message.networks, networks);
}

function whyNoNetworks(ids: readonly number[], networks: Networks): string | undefined {
  if (ids.length > MOST_NETWORKS) return `it has ${ids.length} networks; at most ${MOST_NETWORKS} are possible`;
  const unknown = ids.find(id => !networks.has(id));
  return unknown === undefined ? undefined : `its network ${unknown} is not among those that were told`;
}

/** The first instance that publishes a port has it. */
function readPublished(
  { instanceId, epoch, published }: proto.NetAttachment,
  taken: Map<string, string>,
  faults: Fault[],
): readonly Published[] {
  return published.flatMap(({ protocol: number, hostPort, containerPort }) => {
    const protocol = readProtocol(number);
    const isRight = [hostPort, containerPort].every(port => port >= 1 && port <= 65_535);
    const key = `${protocol}/${hostPort}`;
    const holder = taken.get(key);
    if (protocol !== undefined && isRight && holder === undefined) {
      taken.set(key, instanceId);
      return [{ protocol, hostPort, containerPort }];
    }
    const why = holder === undefined ? "it is no port" : `instance ${holder} publishes it already`;
    const message = `Port ${key} of this node does not lead to ${instanceId}: ${why}.`;
    faults.push({ reason: "port-taken", instanceId, epoch, message });
    return [];
  });
}

/** Reads who lives elsewhere. */
export function readRemotes(
  messages: readonly proto.NetRemote[],
  { networks, node, pool }: { readonly networks: Networks; readonly node: NetNode; readonly pool: Block },
  faults: Fault[],
): readonly Remote[] {
  const known = new Set<string>();
  return messages.flatMap(({ address, networks: ids }) => {
    const isElsewhere = holds(pool, address) && !holds(node.block, address) && !known.has(address);
    const why = isElsewhere ? whyNoNetworks(ids, networks) : "it is no address of another node, or told twice";
    if (why === undefined) {
      known.add(address);
      return [{ address, networks: ids }];
    }
    faults.push({ reason: "remote-invalid", message: `${address} elsewhere is not reached: ${why}.` });
    return [];
  });
}
