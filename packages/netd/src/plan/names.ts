import { hash } from "node:crypto";
import { parseAddress } from "@skep/core/network/block.ts";
import type { Copy } from "../state/net-state.ts";

/** What the node's end of every sandbox's link begins with; nothing else of a node may. */
export const LINK_PREFIX = "skn";

/** The device that packets to peers without a common link go through. */
export const VXLAN_DEVICE = "skep-vxlan";

/** Our table of nftables. */
export const TABLE = "skep";

/** The number that our routes bear, by which they are told from those of others. */
export const ROUTE_PROTOCOL = 83;

/** The next hop of every sandbox, and where its names are answered. It is on no other link. */
export const GATEWAY = "169.254.1.1";

/** The hardware address of the node's end of all links: sandboxes know it without asking. */
export const GATEWAY_MAC = "ee:ee:ee:ee:ee:ee";

/** The name of the node's end of a copy's link: at most 15 characters, the kernel's bound. */
export function linkName({ instanceId, epoch }: Copy): string {
  return LINK_PREFIX + hash("sha256", `${instanceId}\n${epoch}`, "hex").slice(0, 12);
}

/** The hardware address that belongs to an address of the pool; both ends compute it. */
export function macOf(address: string): string {
  const number = parseAddress(address) ?? 0;
  return `0a:58:${number.toString(16).padStart(8, "0").match(/../g)?.join(":")}`;
}
