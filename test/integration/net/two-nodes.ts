import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  NetAttachmentSchema,
  NetProtocol,
  NetStateSchema,
  NetWay,
  type NetState,
} from "@skep/api/gen/skep/v1/net_pb.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { systemRandom } from "@skep/kit/random.ts";
import { createKeeper, type Keeper } from "@skep/netd/keeper.ts";
import { createMemoryState } from "@skep/netd/state/kept-state.ts";
import { openNetRig, OUTSIDE, type NetRig, type Speaker } from "../../support/net-rig.ts";

/** Who lives where: two tenants on two nodes, one of them with two networks. */
export const INSTANCES = {
  a1: { node: 0, tenant: "a", address: "10.128.0.2", networks: [1], published: [[8080, 80]] },
  a2: { node: 0, tenant: "a", address: "10.128.0.3", networks: [1, 2], published: [] },
  a3: { node: 0, tenant: "a", address: "10.128.0.4", networks: [2], published: [] },
  a4: { node: 1, tenant: "a", address: "10.128.16.2", networks: [1], published: [] },
  b1: { node: 0, tenant: "b", address: "10.128.0.5", networks: [3], published: [] },
  b2: { node: 1, tenant: "b", address: "10.128.16.3", networks: [3], published: [[9090, 80]] },
} as const;

/** The name of an instance. */
export type Name = keyof typeof INSTANCES;

/** Both nodes with their keepers, and everybody speaking. */
export interface TwoNodes {
  readonly rig: NetRig;
  readonly keepers: Keeper[];
  readonly speakers: Readonly<Record<Name | "edge" | "node1" | "node2" | "world", Speaker>>;
  /** The state of a node, with changes. */
  stateOf(node: number, change?: (state: NetState) => void): NetState;
  /** Another keeper of a node, as after a restart of netd, with what was kept. */
  keeper(node: number, first?: NetState): Promise<Keeper>;
  close(): Promise<void>;
}

const NAMES = Object.keys(INSTANCES) as readonly Name[];
const BLOCKS = ["10.128.0.0/20", "10.128.16.0/20"] as const;

/** Brings it up, with the nodes joined by this way. */
export async function openTwoNodes(way: NetWay): Promise<TwoNodes> {
  const rig = await openNetRig(2);
  const paths = new Map<Name, string>();
  for (const name of NAMES) paths.set(name, await rig.sandbox(name));
  let revision = 1n;
  const addresses = rig.nodes.map(node => node.address);

  function stateOf(node: number, change?: (state: NetState) => void): NetState {
    const other = 1 - node;
    const state = create(NetStateSchema, {
      sessionId: "test",
      revision: revision++,
      pool: "10.128.0.0/10",
      node: { nodeId: `node${node + 1}`, block: BLOCKS[node] ?? "", address: addresses[node] ?? "" },
      peers: [
        {
          nodeId: `node${other + 1}`,
          block: BLOCKS[other] ?? "",
          address: addresses[other] ?? "",
          way,
          published: NAMES.filter(name => INSTANCES[name].node === other).flatMap(name =>
            INSTANCES[name].published.map(([port]) => ({ protocol: NetProtocol.TCP, port })),
          ),
        },
      ],
      attachments: NAMES.filter(name => INSTANCES[name].node === node).map(name =>
        attachmentOf(name, paths.get(name) ?? ""),
      ),
      remotes: NAMES.filter(name => INSTANCES[name].node === other).map(name => ({
        address: INSTANCES[name].address,
        networks: [...INSTANCES[name].networks],
      })),
      networks: [1, 2, 3].map(id => ({ id, tenantId: id === 3 ? "b" : "a", name: `net${id}` })),
      walls: {
        edgePorts: [443, 8443].map(port => ({ protocol: NetProtocol.TCP, port })),
        edgeSources: ["172.18.0.0/24"],
        allowed: [{ block: `${OUTSIDE.operator}/32`, protocol: NetProtocol.TCP, fromPort: 5432, toPort: 5432 }],
      },
      vxlan: { vni: 7, port: 8472 },
    });
    change?.(state);
    return state;
  }

  async function keeper(node: number, first?: NetState): Promise<Keeper> {
    const log = createRecordingLog();
    const loops = createLoops({ clock: systemClock, log, random: systemRandom });
    const kernel = rig.nodes[node]?.newKernel();
    if (kernel === undefined) throw new Error(`There is no node ${node}.`);
    return createKeeper({ kernel, kept: createMemoryState(first), clock: systemClock, log, loops });
  }

  await addEdge(rig);
  // Somebody outside may know the way.
  const ways = addresses.map((address, node) => `route add ${BLOCKS[node]} via ${address}`);
  await rig.ip("world", ...ways, `route add 172.18.0.0/24 via ${addresses[0]}`);
  const keepers = await Promise.all([keeper(0), keeper(1)]);
  // The address at which names are answered comes with the first state.
  await Promise.all(keepers.map((each, node) => each.apply(stateOf(node))));
  const speaking = await Promise.all([
    ...NAMES.map(async name => [name, await rig.speakIn(name, "tcp:80", "udp:5000", "tcp6:443")] as const),
    rig.speakIn("edge", "tcp:443", "udp:5000").then(speaker => ["edge", speaker] as const),
    ...["node1", "node2"].map(
      async name =>
        [
          name,
          await rig.speakIn(
            name,
            "tcp:443",
            "tcp:22",
            "tcp:53",
            "udp:53:169.254.1.1",
            "udp:5000",
            "tcp:8080:127.0.0.1",
          ),
        ] as const,
    ),
    rig.speakIn("world", "tcp:80", "tcp:81", "tcp:5432").then(speaker => ["world", speaker] as const),
  ]);
  return {
    rig,
    keepers,
    speakers: Object.fromEntries(speaking) as TwoNodes["speakers"],
    stateOf,
    keeper,
    close: async () => {
      await Promise.all(keepers.map(each => each.close()));
      await rig.close();
    },
  };
}

/**
 * An edge in a container of the first node, on a bridge of its own as an engine makes it: its port
 * 443 is the node's 8443, and what it sends elsewhere has an address of the node's.
 */
async function addEdge(rig: NetRig): Promise<void> {
  const path = await rig.sandbox("edge");
  await rig.ip(
    "node1",
    `link add edge type veth peer name eth0 netns ${path}`,
    "address add 172.18.0.1/24 dev edge",
    "link set edge up",
  );
  await rig.ip("edge", "address add 172.18.0.2/24 dev eth0", "link set eth0 up", "route add default via 172.18.0.1");
  const rules = `
    table ip engine {
      chain in {
        type nat hook prerouting priority -100;
        fib daddr type local tcp dport 8443 dnat to 172.18.0.2:443
      }
      chain out {
        type nat hook postrouting priority 100;
        ip saddr 172.18.0.0/24 oifname != "edge" masquerade
      }
    }`;
  await rig.nodes[0]?.run(["nft", "-f", "-"], rules);
}

function attachmentOf(name: Name, netns: string): MessageInitShape<typeof NetAttachmentSchema> {
  const { address, tenant, networks, published } = INSTANCES[name];
  const ports = published.map(([hostPort, containerPort]) => ({ protocol: NetProtocol.TCP, hostPort, containerPort }));
  return { instanceId: name, epoch: 1, tenantId: tenant, address, netns, networks: [...networks], published: ports };
}
