import { BlockList, isIP } from "node:net";
import { SkepError } from "@skep/core/error.ts";

/** Proxies whose word is taken for where a request comes from. */
export type TrustedProxies = BlockList;

/**
 * Reads addresses and networks such as `10.0.0.0/8`.
 * @throws SkepError naming the one that is none.
 */
export function trustProxies(networks: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", length, ...rest] = network.split("/");
    const bits = isIP(address) === 6 ? 128 : 32;
    const prefix = length === undefined ? bits : Number(length);
    const isGood =
      isIP(address) !== 0 && rest.length === 0 && /^\d*$/.test(length ?? "") && prefix <= bits && prefix > 0;
    if (!isGood) {
      const advice = "use an address or a network such as 10.0.0.0/8";
      throw new SkepError("invalid_argument", "BAD_NETWORK", `"${network}" is no network of proxies: ${advice}.`);
    }
    list.addSubnet(address, prefix, isIP(address) === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

/**
 * Where a request comes from: the connection's own address, or, where that is a trusted proxy, the
 * last one of `X-Forwarded-For` that no trusted proxy has. What stands before it anybody may have
 * written.
 */
export function clientAddress(peer: string, forwarded: string | undefined, trusted: TrustedProxies): string {
  let address = plain(peer);
  const hops = (forwarded ?? "").split(",").map(hop => plain(hop.trim()));
  while (hops.length > 0 && isTrusted(address, trusted)) {
    const hop = hops.pop() ?? "";
    if (isIP(hop) === 0) break;
    address = hop;
  }
  return address;
}

function isTrusted(address: string, trusted: TrustedProxies): boolean {
  const family = isIP(address);
  return family !== 0 && trusted.check(address, family === 6 ? "ipv6" : "ipv4");
}

function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
