import type { SwarmNode } from "@skep/core/model/report.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { NodeId } from "@skep/core/model/node.ts";
import type { SwarmNode as SwarmNodeMessage, SwarmNodeSchema } from "../gen/skep/v1/agent_pb.ts";
import { SwarmNodesSchema } from "../gen/skep/v1/agent_pb.ts";
import { decodeMessage, encodeMessage } from "./envelope.ts";
import { fromUint64, toUint64 } from "./number.ts";
import { availabilities, nodeRoles } from "./words.ts";

/** All nodes of the Swarm, as the manager `managerNodeId` lists them. */
export interface SwarmNodes {
  readonly managerNodeId: NodeId;
  readonly nodes: readonly SwarmNode[];
  readonly at: number;
}

/** Writes a manager's list. */
export function encodeSwarmNodes(list: SwarmNodes): Uint8Array {
  return encodeMessage(SwarmNodesSchema, {
    managerNodeId: list.managerNodeId,
    nodes: list.nodes.map(swarmNodeToProto),
    atMs: BigInt(Math.trunc(list.at)),
  });
}

/**
 * @throws SkepError as `decodeMessage`, and for roles and availabilities that this version does not
 * know.
 */
export function decodeSwarmNodes(bytes: Uint8Array): SwarmNodes {
  const message = decodeMessage(SwarmNodesSchema, bytes);
  return {
    managerNodeId: message.managerNodeId,
    nodes: message.nodes.map(swarmNodeFromProto),
    at: fromUint64(message.atMs, "swarm.at_ms"),
  };
}

/** A Swarm node as a message. */
export function swarmNodeToProto(node: SwarmNode): MessageInitShape<typeof SwarmNodeSchema> {
  return {
    ...node,
    role: nodeRoles.toProto(node.role),
    availability: availabilities.toProto(node.availability),
    labels: { ...node.labels },
    versionIndex: toUint64(node.versionIndex),
  };
}

/**
 * @throws SkepError `invalid_argument` for a role or availability that this version does not know.
 */
export function swarmNodeFromProto(message: SwarmNodeMessage): SwarmNode {
  return {
    nodeId: message.nodeId,
    hostname: message.hostname,
    role: nodeRoles.fromProto(message.role, `role of node ${message.nodeId}`),
    availability: availabilities.fromProto(message.availability, `availability of node ${message.nodeId}`),
    state: message.state,
    address: message.address,
    labels: { ...message.labels },
    versionIndex: fromUint64(message.versionIndex, "node.version_index"),
  };
}
