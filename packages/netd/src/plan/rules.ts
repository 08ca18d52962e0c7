import { MOST_NETWORKS } from "../state/net-state.ts";
import { GATEWAY, LINK_PREFIX } from "./names.ts";

/** What the rules say by themselves. Everything that changes often is in sets. */
export interface RuleValues {
  readonly pool: string;
  readonly block: string;
  /** Where peers reach the node. */
  readonly address: string;
  /** The node's address on the tunnel: the first of its block. */
  readonly tunnelAddress: string;
  /** Absent where there is no tunnel. */
  readonly vxlanPort: number | undefined;
}

/** Every set and map, with its type. `rulesText` has the same ones. */
export const SET_TYPES = {
  ...Object.fromEntries(Array.from({ length: MOST_NETWORKS }, (_, index) => [`net${index + 1}`, "ipv4_addr : mark"])),
  members: "ipv4_addr . mark",
  sandboxes: "ifname . ipv4_addr",
  locals: "ipv4_addr",
  internal: "ipv4_addr",
  nodes: "ipv4_addr",
  edges: "ipv4_addr; flags interval",
  edge_tcp: "inet_service",
  edge_udp: "inet_service",
  node_ports: "ipv4_addr . inet_proto . inet_service",
  published: "inet_proto . inet_service : ipv4_addr . inet_service",
  published_to: "inet_proto . ipv4_addr . inet_service",
  allowed: "ipv4_addr; flags interval",
  allowed_ports: "ipv4_addr . inet_proto . inet_service; flags interval",
  denied: "ipv4_addr; flags interval",
  egress: "ipv4_addr : mark",
  egress_any: "mark . ipv4_addr; flags interval",
  egress_ports: "mark . ipv4_addr . inet_proto . inet_service; flags interval",
} as const satisfies Readonly<Record<string, string>>;

/** A set or a map of the table. */
export type SetName = string;

const SHARED_NETWORK = Array.from(
  { length: MOST_NETWORKS },
  (_, index) => `meta mark set ip saddr map @net${index + 1} ip daddr . meta mark @members meta mark set 0 accept`,
);

const ANSWERS = "ct direction reply ct state established,related accept";
const PUBLISHED = "ct status dnat ct direction original meta l4proto . ip daddr . th dport @published_to accept";

// The kernel sends one or two errors by ICMP in a second to each address; resets are not counted,
// and the only thing that an established connection ends by.
const RESET = "meta l4proto tcp reject with tcp reset";

/** A chain: its name, its hook where it has one, and its rules. */
type Chain = readonly [name: string, hook: string | undefined, rules: readonly string[]];

/**
 * The body of our table without elements. Between instances both directions of a connection ask
 * the same question, and nothing is remembered of it: who leaves a network is shut out with the
 * next packet, and connections to a stopped instance are reset.
 */
export function rulesText(values: RuleValues): string {
  const sets = Object.entries(SET_TYPES).map(([name, type]) => {
    const kind = type.includes(" : ") ? "map" : "set";
    return `  ${kind} ${name} { type ${type}; }`;
  });
  const chains = [...arriving(values), ...forwarded(values), ...toNode(values), ...translated(values)];
  return [...sets, ...chains.map(chainText)].join("\n");
}

function chainText([name, hook, rules]: Chain): string {
  const head = hook === undefined ? [] : [`    type ${hook}; policy accept;`];
  return [`  chain ${name} {`, ...head, ...rules.map(rule => `    ${rule}`), "  }"].join("\n");
}

/** Who speaks is who it says it is, before anything else looks at the packet. */
function arriving({ pool, block, tunnelAddress }: RuleValues): readonly Chain[] {
  return [
    [
      "arriving",
      "filter hook prerouting priority -300",
      [
        `iifname "${LINK_PREFIX}*" meta nfproto ipv6 drop`,
        `iifname "${LINK_PREFIX}*" iifname . ip saddr != @sandboxes drop`,
        `iifname != "lo" iifname != "${LINK_PREFIX}*" ip saddr ${block} drop`,
        // A tenant's own traffic does not fill the node's table of connections.
        `ip saddr ${pool} ip daddr ${pool} ip saddr != @nodes ip daddr != @nodes notrack`,
      ],
    ],
    [
      // The route of our block refuses by ICMP, and before the forward hook.
      "gone",
      "filter hook prerouting priority -90",
      [`ip daddr ${block} ip daddr != @locals ip daddr != ${tunnelAddress} ${RESET}`],
    ],
  ];
}

function forwarded({ pool }: RuleValues): readonly Chain[] {
  return [
    [
      "forward",
      "filter hook forward priority -5",
      [
        `iifname "${LINK_PREFIX}*" goto from_instance`,
        `oifname "${LINK_PREFIX}*" goto to_instance`,
        `ip saddr ${pool} goto beside_instances`,
        `ip daddr ${pool} goto beside_instances`,
      ],
    ],
    [
      "from_instance",
      undefined,
      [
        "ct state invalid drop",
        `ip daddr ${pool} goto between`,
        ANSWERS,
        "ip saddr @internal goto refuse",
        // An edge in a container: the engine has translated the address by now.
        "meta l4proto tcp ct status dnat ct original proto-dst @edge_tcp accept",
        "meta l4proto udp ct status dnat ct original proto-dst @edge_udp accept",
        "ip daddr @nodes goto to_node",
        "ip daddr @allowed accept",
        "ip daddr . meta l4proto . th dport @allowed_ports accept",
        "ip daddr @denied goto refuse",
        "meta mark set ip saddr map @egress goto by_tenant",
        "accept",
      ],
    ],
    ["between", undefined, [...SHARED_NETWORK, "meta mark set 0", ANSWERS, PUBLISHED, "goto refuse"]],
    ["to_node", undefined, [...EDGE_PORTS, "ip daddr . meta l4proto . th dport @node_ports accept", "goto refuse"]],
    [
      "by_tenant",
      undefined,
      [
        "meta mark . ip daddr @egress_any meta mark set 0 accept",
        "meta mark . ip daddr . meta l4proto . th dport @egress_ports meta mark set 0 accept",
        "meta mark set 0",
        "goto refuse",
      ],
    ],
    [
      "to_instance",
      undefined,
      [
        "ct state invalid drop",
        `ip saddr ${pool} ip saddr != @nodes goto from_far`,
        ANSWERS,
        PUBLISHED,
        "ip saddr @edges accept",
        "drop",
      ],
    ],
    // An edge in a container of this node speaks with an instance of another one.
    ["beside_instances", undefined, [ANSWERS, "ip saddr @edges accept", "drop"]],
    // The other node refused already, or has not heard yet that both share a network: then the
    // next try finds it.
    ["from_far", undefined, [...SHARED_NETWORK, "meta mark set 0", "drop"]],
    ["refuse", undefined, [RESET, "reject with icmpx admin-prohibited"]],
  ];
}

const EDGE_PORTS = ["tcp dport @edge_tcp accept", "udp dport @edge_udp accept"];

function toNode({ pool, vxlanPort }: RuleValues): readonly Chain[] {
  const tunnel = vxlanPort === undefined ? [] : [`udp dport ${vxlanPort} ip saddr != @nodes drop`];
  return [
    [
      "input",
      "filter hook input priority -5",
      [
        `iifname "${LINK_PREFIX}*" goto input_of_instance`,
        `iifname != "lo" ip saddr ${pool} goto input_of_pool`,
        ...tunnel,
      ],
    ],
    [
      "input_of_instance",
      undefined,
      [
        ANSWERS,
        `ip daddr ${GATEWAY} meta l4proto { tcp, udp } th dport 53 accept`,
        "ip saddr @internal goto refuse",
        ...EDGE_PORTS,
        "goto refuse",
      ],
    ],
    ["input_of_pool", undefined, [ANSWERS, "drop"]],
  ];
}

function translated({ pool, block, address, tunnelAddress }: RuleValues): readonly Chain[] {
  const publish = `fib daddr type local ip daddr != { 127.0.0.0/8, ${GATEWAY} } dnat ip to meta l4proto . th dport map @published`;
  return [
    ["published_in", "nat hook prerouting priority -105", [publish]],
    ["published_out", "nat hook output priority -105", [publish]],
    [
      "leaving",
      "nat hook postrouting priority 95",
      [
        // An instance that asks for its own published port would be answered from its own address.
        `ct status dnat ip saddr ${pool} ip daddr ${pool} snat ip to ${address}`,
        `ip saddr ${block} ip saddr != ${tunnelAddress} ip daddr != ${pool} oifname != "lo" masquerade`,
      ],
    ],
  ];
}
