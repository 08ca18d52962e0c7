import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { NetProtocol, NetStateSchema, NetWay, type NetState as Message } from "@skep/api/gen/skep/v1/net_pb.ts";
import type { NetState } from "../state/net-state.ts";
import { readState } from "../state/read-state.ts";

type StateInit = Exclude<MessageInitShape<typeof NetStateSchema>, Message>;

/** A state of node-1 as the agent tells it, with one peer and nobody attached. */
export function message(change: StateInit = {}): Message {
  return create(NetStateSchema, {
    sessionId: "session",
    revision: 1n,
    pool: "10.128.0.0/10",
    node: { nodeId: "node-1", block: "10.128.0.0/20", address: "198.18.0.11" },
    peers: [peer({})],
    networks: [
      { id: 1, tenantId: "a", name: "front" },
      { id: 2, tenantId: "a", name: "back", isInternal: true },
      { id: 3, tenantId: "b", name: "default" },
    ],
    vxlan: { vni: 7, port: 8472 },
    ...change,
  });
}

type PeerInit = NonNullable<StateInit["peers"]>[number];
type AttachmentInit = NonNullable<StateInit["attachments"]>[number];

/** node-2, reached directly. */
export function peer(change: PeerInit): PeerInit {
  return { nodeId: "node-2", block: "10.128.16.0/20", address: "198.18.0.12", way: NetWay.DIRECT, ...change };
}

/** An instance of tenant `a` in its network 1. */
export function attachment(change: AttachmentInit): AttachmentInit {
  const base = { instanceId: "a1", epoch: 1, tenantId: "a", address: "10.128.0.2", netns: "/run/netns/a1" };
  return { ...base, networks: [1], ...change };
}

/** A state with something in every part. */
export function fullMessage(netns: readonly [string, string], way: NetWay = NetWay.VXLAN): Message {
  return message({
    peers: [peer({ way, published: [{ protocol: NetProtocol.TCP, port: 9090 }], moreAddresses: ["45.0.0.2"] })],
    attachments: [
      attachment({
        netns: netns[0],
        networks: [1, 2],
        published: [{ protocol: NetProtocol.TCP, hostPort: 8080, containerPort: 80 }],
      }),
      attachment({ instanceId: "b1", tenantId: "b", address: "10.128.0.3", netns: netns[1], networks: [3] }),
    ],
    remotes: [{ address: "10.128.16.9", networks: [1] }],
    walls: {
      edgePorts: [{ protocol: NetProtocol.TCP, port: 443 }],
      edgeSources: ["172.18.0.0/16"],
      allowed: [
        { block: "10.50.0.0/16" },
        { block: "10.60.0.0/16", protocol: NetProtocol.TCP, fromPort: 5432, toPort: 5433 },
        { block: "10.60.1.0/24", protocol: NetProtocol.TCP, fromPort: 80, toPort: 80 },
      ],
      denied: ["45.99.0.0/16"],
      egress: [{ tenantId: "b", allowed: [{ block: "45.33.0.0/16" }, { block: "45.0.0.0/8", protocol: 1 }] }],
    },
  });
}

/** What such a message is once it is read; there must be nothing wrong with it. */
export function stateOf(told: Message): NetState {
  const { state, faults } = readState(told);
  if (faults.length > 0) throw new Error(`The sample has faults: ${faults.map(fault => fault.message).join(" ")}`);
  return state;
}
