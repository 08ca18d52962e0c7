import { GATEWAY, LINK_PREFIX, macOf, ROUTE_PROTOCOL, TABLE, VXLAN_DEVICE } from "../plan/names.ts";
import {
  neighbourKey,
  type Link,
  type Neighbour,
  type Plane,
  type Route,
  type Sets,
  type Tunnel,
} from "../plan/plane.ts";
import type { Survey } from "../plan/survey.ts";
import { dockerPasses, firewallsIn, type NftChain } from "./firewalls.ts";
import { readTable, type ListedTable } from "./listed-table.ts";
import { ALIAS, SEPARATOR } from "./script.ts";

/** How nft lists. Protocols are numbers: their names are in a file that an image may not have. */
const LIST = "nft --json --numeric --stateless";

/** The command that lists our table. */
export const LIST_TABLE = `${LIST} list table inet ${TABLE}`;

/** The same without what is in its sets. */
const LIST_RULES = `${LIST} --terse list table inet ${TABLE}`;

/**
 * A shell script that prints all that a look needs, in parts; with or without what is in the sets,
 * which is by far the most on a node with many tenants. It changes nothing.
 */
export const lookScript = (withElements: boolean): string => `
ip -4 -json -details -batch - <<'END' || exit 1
link show
address show
route show table main
neighbour show nud permanent
END
printf '${SEPARATOR}'
bridge -json fdb show dev ${VXLAN_DEVICE} 2> /dev/null < /dev/null
printf '${SEPARATOR}'
${withElements ? LIST_TABLE : LIST_RULES} 2> /dev/null < /dev/null
printf '${SEPARATOR}'
${LIST} list chains < /dev/null || exit 1
printf '${SEPARATOR}'
cat /proc/sys/net/ipv4/ip_forward
printf '${SEPARATOR}'
if nft list chain ip filter DOCKER-USER > /dev/null 2>&1 < /dev/null; then
  iptables-nft -w 5 -S 2> /dev/null < /dev/null
fi
printf '${SEPARATOR}'
if grep -q filter /proc/net/ip_tables_names 2> /dev/null; then
  iptables-legacy -w 5 -S 2> /dev/null < /dev/null
fi
exit 0
`;

/** What a look found; the table is still in nft's words. */
export interface Listed {
  readonly plane: Omit<Plane, "ruleset">;
  readonly survey: Survey;
  readonly table: (ListedTable & { readonly sets: Sets }) | undefined;
}

interface IpLink {
  readonly ifname: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly address?: string;
  readonly ifalias?: string;
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: VxlanData };
  readonly addr_info?: readonly { readonly local: string; readonly prefixlen: number }[];
}

interface VxlanData {
  readonly id?: number;
  readonly local?: string;
  readonly port?: number;
  readonly learning?: boolean;
}

interface IpRoute {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly protocol?: string;
  readonly scope?: string;
  readonly prefsrc?: string;
}

interface IpNeighbour {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
}

/** Reads what the script printed. */
export function readSight(text: string): Listed {
  const [ip = "", fdb = "", table = "", chains = "", forwarding = "", nftRules = "", legacyRules = ""] =
    text.split(SEPARATOR);
  const [links = [], addresses = [], routes = [], neighbours = []] = ip
    .split("\n")
    .filter(line => line.trim() !== "")
    .map(line => JSON.parse(line) as readonly unknown[]);
  const withAddresses = addresses as readonly IpLink[];
  const ours = (routes as readonly IpRoute[]).filter(isOurs);
  const listedChains = chainsOf(chains);
  return {
    plane: {
      links: keyed((links as readonly IpLink[]).filter(isSandboxLink).map(toLink), link => link.name),
      tunnel: toTunnel(links as readonly IpLink[], withAddresses),
      routes: keyed(ours.map(toRoute), route => route.to),
      neighbours: keyed((neighbours as readonly IpNeighbour[]).flatMap(toNeighbour), neighbourKey),
      tunnelEnds: toEnds(fdb),
      hasGateway: withAddresses.some(
        link => link.ifname === "lo" && link.addr_info?.some(one => one.local === GATEWAY),
      ),
      isForwarding: forwarding.trim() === "1",
      passesDocker: dockerPasses([nftRules, legacyRules]),
    },
    survey: {
      routes: (routes as readonly IpRoute[]).filter(route => !isOurs(route) && route.dst !== "default").map(toForeign),
      links: withAddresses.filter(link => !isSandboxLink(link) && link.ifname !== VXLAN_DEVICE).map(toForeignLink),
      firewalls: firewallsIn(listedChains, [nftRules, legacyRules]),
    },
    table: readTable(table),
  };
}

function keyed<T>(values: readonly T[], key: (value: T) => string): ReadonlyMap<string, T> {
  return new Map(values.map(value => [key(value), value]));
}

function isSandboxLink({ ifname }: IpLink): boolean {
  return ifname.startsWith(LINK_PREFIX);
}

/** A link that was not finished, or that lost its other end's setup, is none that is wanted. */
function toLink({ ifname: name, mtu, flags, ifalias = "" }: IpLink): Link {
  const [kind, instanceId = "", epoch = "", address = "", netns = ""] = ifalias.split(" ");
  const isReady = kind === ALIAS && flags.includes("UP") && flags.includes("LOWER_UP");
  return { name, copy: { instanceId, epoch: Number(epoch) }, netns, address, mac: macOf(address), mtu, isReady };
}

function toTunnel(links: readonly IpLink[], withAddresses: readonly IpLink[]): Tunnel | undefined {
  const link = links.find(one => one.ifname === VXLAN_DEVICE);
  if (link === undefined) return undefined;
  const { id = 0, port = 0, local = "", learning } = link.linkinfo?.info_data ?? {};
  const own = withAddresses.find(one => one.ifname === VXLAN_DEVICE)?.addr_info?.[0]?.local ?? "";
  const isRight = link.flags.includes("UP") && learning === false;
  return { vni: id, port, local, address: isRight ? own : "", mac: link.address ?? "", mtu: link.mtu };
}

function isOurs({ protocol }: IpRoute): boolean {
  return protocol === String(ROUTE_PROTOCOL);
}

function asBlock(dst: string): string {
  return dst.includes("/") ? dst : `${dst}/32`;
}

function toRoute({ type, dst, gateway, dev, prefsrc }: IpRoute): Route {
  const to = asBlock(dst);
  if (type === "unreachable") return { to, kind: "refuse", device: undefined, via: undefined, source: undefined };
  if (gateway === undefined) return { to, kind: "link", device: dev, via: undefined, source: prefsrc };
  return { to, kind: "via", device: dev === VXLAN_DEVICE ? dev : undefined, via: gateway, source: prefsrc };
}

function toForeign({ dst, dev = "", protocol, scope }: IpRoute) {
  return { to: asBlock(dst), device: dev, isOwn: protocol === "kernel" && scope === "link" };
}

function toForeignLink({ ifname, mtu, addr_info = [] }: IpLink) {
  return { name: ifname, mtu, addresses: addr_info.map(one => one.local) };
}

function toNeighbour({ dst, dev, lladdr = "" }: IpNeighbour): readonly Neighbour[] {
  const isOnOurs = dev.startsWith(LINK_PREFIX) || dev === VXLAN_DEVICE;
  return isOnOurs ? [{ device: dev, address: dst, mac: lladdr }] : [];
}

function toEnds(text: string): ReadonlyMap<string, string> {
  if (text.trim() === "") return new Map();
  const entries = JSON.parse(text) as readonly { readonly mac: string; readonly dst?: string }[];
  return new Map(entries.flatMap(({ mac, dst }) => (dst === undefined ? [] : [[mac, dst] as const])));
}

function chainsOf(text: string): readonly NftChain[] {
  const { nftables } = JSON.parse(text) as { readonly nftables: readonly { readonly chain?: NftChain }[] };
  return nftables.flatMap(({ chain }) => chain ?? []);
}
