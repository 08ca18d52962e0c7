import { TABLE } from "../plan/names.ts";
import type { Firewall } from "../plan/survey.ts";

/** A chain as nft lists it. */
export interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  /** Where the kernel calls it; absent for a chain that only other chains call. */
  readonly hook?: string;
  readonly policy?: string;
}

const OURS = ["-i", "-o"].map(way => `${way} skn+ -m comment --comment skep -j ACCEPT`);

/**
 * Whether Docker's chain for its users lets our packets pass, in every flavour of iptables that has
 * the chain; `undefined` where none has.
 * @param listings What `iptables -S` says in each flavour; empty for one that is not in use.
 */
export function dockerPasses(listings: readonly string[]): boolean | undefined {
  const withDocker = listings.filter(hasDocker);
  if (withDocker.length === 0) return undefined;
  return withDocker.every(text => OURS.every(rule => text.includes(`-A DOCKER-USER ${rule}`)));
}

function hasDocker(listing: string): boolean {
  return listing.includes("-N DOCKER-USER\n");
}

/**
 * What drops forwarded packets on this node by its policy, Docker's own left out where its users'
 * chain comes first; and firewalld, whose policy is a rule.
 */
export function firewallsIn(chains: readonly NftChain[], listings: readonly string[]): readonly Firewall[] {
  const [nftListing = "", legacyListing = ""] = listings;
  const dropping = chains.filter(one => one.hook === "forward" && one.policy === "drop" && one.table !== TABLE);
  const found = dropping
    .filter(one => !(isFilter(one) && hasDocker(nftListing)))
    .map(one => ({ name: nameOf(one, chains), chain: `${one.family} ${one.table} ${one.name}` }));
  const firewalld = chains.find(one => one.table === "firewalld" && one.hook === "forward");
  const legacyDrops = legacyListing.includes("-P FORWARD DROP") && !hasDocker(legacyListing);
  return [
    ...found,
    ...(firewalld === undefined
      ? []
      : [{ name: "firewalld", chain: `${firewalld.family} firewalld ${firewalld.name}` }]),
    ...(legacyDrops
      ? [{ name: legacyListing.includes("-N ufw-") ? "ufw" : "iptables-legacy", chain: "filter FORWARD" }]
      : []),
  ];
}

function isFilter({ family, table }: NftChain): boolean {
  return family === "ip" && table === "filter";
}

function nameOf(chain: NftChain, chains: readonly NftChain[]): string {
  if (!isFilter(chain)) return `nftables table ${chain.family} ${chain.table}`;
  return chains.some(one => isFilter(one) && one.name.startsWith("ufw-")) ? "ufw" : "iptables";
}
