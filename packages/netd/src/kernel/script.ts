import { GATEWAY, GATEWAY_MAC, ROUTE_PROTOCOL, TABLE, VXLAN_DEVICE } from "../plan/names.ts";
import type { Link, Route, Ruleset, Sets, Tunnel } from "../plan/plane.ts";
import type { Step } from "../plan/step.ts";

/** What a step is done with. */
export type Tool = "nft" | "conntrack" | "ip" | "bridge" | "inside" | "forwarding" | "docker";

/** Which one does a step. */
export function toolOf({ kind }: Step): Tool {
  switch (kind) {
    case "put-table":
    case "change-elements":
      return "nft";
    case "forget-flows":
      return "conntrack";
    case "set-up-inside":
    case "resize-link":
      return "inside";
    case "start-forwarding":
      return "forwarding";
    case "pass-docker":
      return "docker";
    case "put-tunnel-end":
    case "remove-tunnel-end":
      return "bridge";
    default:
      return "ip";
  }
}

/** The lines of `ip -batch` or `bridge -batch` that a step is. */
export function batchLines(step: Step): readonly string[] {
  switch (step.kind) {
    case "add-gateway":
      return [`address replace ${GATEWAY}/32 dev lo scope host`];
    case "add-link":
      return addLink(step.link);
    case "mark-ready":
      return [`link set ${step.link.name} alias "${aliasOf(step.link)}"`];
    case "remove-link":
      return [`link delete ${step.name}`];
    case "add-tunnel":
      return addTunnel(step.tunnel);
    case "remove-tunnel":
      return [`link delete ${VXLAN_DEVICE}`];
    case "put-route":
      return [`route replace ${routeText(step.route)}`];
    case "remove-route":
      return [
        `route delete ${step.route.kind === "refuse" ? "unreachable " : ""}${step.route.to} proto ${ROUTE_PROTOCOL}`,
      ];
    case "put-neighbour": {
      const { address, mac, device } = step.neighbour;
      return [`neighbour replace ${address} lladdr ${mac} dev ${device} nud permanent`];
    }
    case "remove-neighbour":
      return [`neighbour delete ${step.neighbour.address} dev ${step.neighbour.device}`];
    case "put-tunnel-end":
      return [`fdb replace ${step.mac} dev ${VXLAN_DEVICE} dst ${step.to} self permanent`];
    case "remove-tunnel-end":
      return [`fdb delete ${step.mac} dev ${VXLAN_DEVICE} dst ${step.to} self`];
    default:
      return [];
  }
}

function addLink({ name, netns, mac, mtu }: Link): readonly string[] {
  const peer = `peer name eth0 mtu ${mtu} address ${mac} netns ${netns}`;
  return [
    `link add ${name} mtu ${mtu} address ${GATEWAY_MAC} type veth ${peer}`,
    // Without an address that the kernel makes itself, nothing speaks IPv6 here yet.
    `link set ${name} addrgenmode none up`,
  ];
}

function addTunnel({ vni, port, local, address, mac, mtu }: Tunnel): readonly string[] {
  return [
    `link add ${VXLAN_DEVICE} mtu ${mtu} address ${mac} type vxlan id ${vni} local ${local} dstport ${port} nolearning`,
    `link set ${VXLAN_DEVICE} addrgenmode none`,
    `address add ${address}/32 dev ${VXLAN_DEVICE}`,
    `link set ${VXLAN_DEVICE} up`,
  ];
}

function routeText({ to, kind, via, device, source }: Route): string {
  if (kind === "refuse") return `unreachable ${to} proto ${ROUTE_PROTOCOL}`;
  const hop = via === undefined ? "" : ` via ${via}`;
  const out = device === undefined ? "" : ` dev ${device}`;
  // The next hop in the tunnel is on no link of the node's.
  const onlink = via !== undefined && device !== undefined ? " onlink" : "";
  const from = source === undefined ? "" : ` src ${source}`;
  return `${to}${hop}${out}${onlink}${from} proto ${ROUTE_PROTOCOL}`;
}

/**
 * What a finished link bears at the node's end. It is with the link for as long as there is one,
 * and says what was done inside without anybody entering the namespace.
 */
export function aliasOf({ copy, address, netns }: Link): string {
  return `${ALIAS} ${copy.instanceId} ${copy.epoch} ${address} ${netns}`;
}

/** What the text begins with; it changes when what is done inside changes. */
export const ALIAS = "skep1";

/** The lines of `ip -batch` within the sandbox. */
function insideLines({ address }: Link): readonly string[] {
  return [
    "link set lo up",
    "link set eth0 addrgenmode none up",
    `address replace ${address}/32 dev eth0`,
    `route replace ${GATEWAY} dev eth0 scope link`,
    // Nobody is asked for the hardware address of the next hop, so nobody can answer wrongly.
    `neighbour replace ${GATEWAY} lladdr ${GATEWAY_MAC} dev eth0 nud permanent`,
    `route replace default via ${GATEWAY} dev eth0`,
  ];
}

/** What stands between the parts of what a shell of ours prints. */
export const SEPARATOR = "\u001e";

/**
 * A shell script for steps in sandboxes: a process of the shell's costs less than one of ours. It
 * prints what went wrong, then the separator, the step's number and a space.
 */
export function insideScript(steps: readonly Step[]): string {
  return steps
    .flatMap((step, index) => {
      if (step.kind !== "set-up-inside" && step.kind !== "resize-link") return [];
      const { name, netns, mtu } = step.link;
      const isNew = step.kind === "set-up-inside";
      const lines = isNew ? insideLines(step.link) : [`link set eth0 mtu ${mtu}`];
      const outside = isNew ? "" : `ip link set ${name} mtu ${mtu} 2>&1 && `;
      const inside = `nsenter --net=${netns} ip -batch - 2>&1 <<'END'\n${lines.join("\n")}\nEND\n`;
      return [`said=$(${outside}${inside}) || printf '%s${SEPARATOR}${index} ' "$said"`];
    })
    .join("\n");
}

/** A shell script that forgets flows; that there are none is no failure. */
export function forgetScript(steps: readonly Step[]): string {
  const ports = steps.flatMap(step => (step.kind === "forget-flows" ? step.ports : []));
  const lines = ports.map(port => `conntrack -D -p udp --orig-port-dst ${port} > /dev/null 2>&1 < /dev/null`);
  return [
    "command -v conntrack > /dev/null || { echo 'conntrack is not installed' >&2; exit 1; }",
    ...lines,
    "exit 0",
  ].join("\n");
}

/** The input of nft for its steps: one transaction. */
export function nftText(steps: readonly Step[]): string {
  return steps
    .flatMap(step => {
      if (step.kind === "put-table") return tableText(step.ruleset);
      if (step.kind !== "change-elements") return [];
      return [...elementTexts("delete", step.remove), ...elementTexts("add", step.add)];
    })
    .join("\n");
}

function tableText({ rules, sets }: Ruleset): readonly string[] {
  const name = `inet ${TABLE}`;
  // Deleting what is not there fails, hence the empty one first.
  return [`table ${name} { }`, `delete table ${name}`, `table ${name} {`, rules, "}", ...elementTexts("add", sets)];
}

function elementTexts(verb: "add" | "delete", sets: Sets): readonly string[] {
  return [...sets]
    .filter(([, elements]) => elements.size > 0)
    .map(([name, elements]) => {
      const all = [...elements].map(([element, to]) => (to === "" ? element : `${element} : ${to}`));
      return `${verb} element inet ${TABLE} ${name} { ${all.join(", ")} }`;
    });
}
