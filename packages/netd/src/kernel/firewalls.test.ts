import { describe, expect, it } from "vitest";
import { dockerPasses, firewallsIn, type NftChain } from "./firewalls.ts";

const DOCKER = "-P FORWARD DROP\n-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n";
const PASSES = ["-i", "-o"].map(way => `-A DOCKER-USER ${way} skn+ -m comment --comment skep -j ACCEPT\n`);
const FORWARD: NftChain = { family: "ip", table: "filter", name: "FORWARD", hook: "forward", policy: "drop" };

describe("Docker's chain for its users", () => {
  it.each([
    [["", ""], undefined],
    [["-P FORWARD ACCEPT\n", ""], undefined],
    [[DOCKER, ""], false],
    [[DOCKER + PASSES[0], ""], false],
    [[DOCKER + PASSES.join(""), ""], true],
    [["", DOCKER + PASSES.join("")], true],
    [[DOCKER + PASSES.join(""), DOCKER], false],
  ])("passes our packets where every flavour says so (%#)", (listings, passes) => {
    expect(dockerPasses(listings)).toBe(passes);
  });
});

describe("a firewall of the node's own", () => {
  const names = (chains: readonly NftChain[], nft = "", legacy = "") =>
    firewallsIn(chains, [nft, legacy]).map(one => one.name);

  it("is none where Docker drops, since its users' chain comes first", () => {
    expect(names([FORWARD], DOCKER)).toEqual([]);
    expect(names([], "", DOCKER)).toEqual([]);
  });

  it("is named by who put it there", () => {
    expect(names([FORWARD])).toEqual(["iptables"]);
    expect(names([FORWARD, { family: "ip", table: "filter", name: "ufw-before-forward" }])).toEqual(["ufw"]);
    expect(names([{ ...FORWARD, table: "mine", name: "f" }])).toEqual(["nftables table ip mine"]);
    expect(names([{ family: "inet", table: "firewalld", name: "filter_FORWARD", hook: "forward" }])).toEqual([
      "firewalld",
    ]);
    expect(names([], "", "-P FORWARD DROP\n")).toEqual(["iptables-legacy"]);
    expect(names([], "", "-P FORWARD DROP\n-N ufw-before-forward\n")).toEqual(["ufw"]);
  });

  it("is none where nothing forwarded is dropped", () => {
    expect(
      names([
        { ...FORWARD, policy: "accept" },
        { ...FORWARD, hook: "input" },
        { ...FORWARD, table: "skep" },
      ]),
    ).toEqual([]);
  });
});
