import { isIP } from "node:net";
import type { Upstream } from "./forward.ts";

/** As many as the C libraries take. */
const MOST_RESOLVERS = 3;

/**
 * The node's own resolvers, out of its `resolv.conf`. What listens at `own` is left out: it would
 * be asked by itself.
 */
export function parseResolvers(text: string, own: string): readonly Upstream[] {
  const addresses = text.split("\n").flatMap(line => /^\s*nameserver\s+([^\s#;]+)/.exec(line)?.[1] ?? []);
  return addresses
    .filter(address => isIP(address) !== 0 && address !== own)
    .slice(0, MOST_RESOLVERS)
    .map(address => ({ address, port: 53 }));
}
