import { NetWay } from "@skep/api/gen/skep/v1/net_pb.ts";
import { describe, expect, it } from "vitest";
import { fullMessage, message, peer, stateOf } from "../testing/states.ts";
import { desire } from "./desire.ts";
import { VXLAN_DEVICE } from "./names.ts";
import { EMPTY_SURVEY, type ForeignRoute } from "./survey.ts";

const NAMESPACES = ["/run/netns/one", "/run/netns/two"] as const;
const state = stateOf(fullMessage(NAMESPACES));

function beside(...routes: readonly ForeignRoute[]) {
  return desire(state, { ...EMPTY_SURVEY, routes });
}

describe("what is wanted of a node", () => {
  it("is a link, a way and a hardware address for each sandbox, and nothing for an address without one", () => {
    const { plane, faults } = desire(state, EMPTY_SURVEY);
    expect(faults).toEqual([]);
    expect([...plane.links.values()].map(link => [link.copy.instanceId, link.address, link.mac])).toEqual([
      ["a1", "10.128.0.2", "0a:58:0a:80:00:02"],
      ["b1", "10.128.0.3", "0a:58:0a:80:00:03"],
    ]);
    for (const name of plane.links.keys()) expect(name).toMatch(/^skn[0-9a-f]{12}$/);
    expect(plane.routes.get("10.128.0.0/20")?.kind).toBe("refuse");
  });

  it.each([
    [NetWay.DIRECT, 1_500, undefined],
    [NetWay.VXLAN, 1_450, VXLAN_DEVICE],
  ])("leaves room for the header of the way (%s)", (way, mtu, device) => {
    const told = stateOf(fullMessage(NAMESPACES, way));
    const links = [{ name: "eth0", mtu: 1_500, addresses: ["198.18.0.11"] }];
    const { plane } = desire(told, { ...EMPTY_SURVEY, links });
    expect([...plane.links.values()].map(link => link.mtu)).toEqual([mtu, mtu]);
    expect(plane.routes.get("10.128.16.0/20")?.device).toBe(device);
  });

  it("takes the size of packets from the link to the peers", () => {
    const links = [
      { name: "lo", mtu: 65_536, addresses: ["127.0.0.1"] },
      { name: "eth0", mtu: 9_001, addresses: ["198.18.0.11"] },
    ];
    expect(desire(state, { ...EMPTY_SURVEY, links }).plane.tunnel?.mtu).toBe(8_951);
  });

  describe("where a block means something else already", () => {
    it.each([
      ["a link's own network that holds it", { to: "10.128.0.0/16", device: "eth0", isOwn: true }],
      ["a link's own network inside it", { to: "10.128.3.0/24", device: "docker0", isOwn: true }],
      ["a way to a part of it", { to: "10.128.3.0/24", device: "tun0", isOwn: false }],
    ])("applies nothing for the node's own: %s", (_, route) => {
      const { plane, faults } = beside(route);
      expect(plane.links.size).toBe(0);
      expect(plane.routes.has("10.128.0.0/20")).toBe(false);
      expect(faults[0]).toMatchObject({ reason: "block-overlaps", nodeId: "node-1" });
      expect(faults[0]?.message).toContain(`overlaps with ${route.to}`);
      expect(faults[0]?.message).toContain(route.device);
    });

    it("leaves out one peer, and goes on with the others", () => {
      const { plane, faults } = beside({ to: "10.128.20.0/24", device: "eth1", isOwn: true });
      expect(faults.map(fault => fault.nodeId)).toEqual(["node-2"]);
      expect(plane.tunnel).toBeUndefined();
      expect(plane.links.size).toBe(2);
    });

    it("lets a wider way stand that only passes through", () => {
      expect(beside({ to: "10.0.0.0/8", device: "tun0", isOwn: false }).faults).toEqual([]);
    });
  });

  it("names a firewall that nobody passes", () => {
    const firewalls = [{ name: "ufw", chain: "ip filter FORWARD" }];
    expect(desire(state, { ...EMPTY_SURVEY, firewalls }).faults).toMatchObject([{ reason: "firewall" }]);
  });

  it("has no tunnel where no peer needs one", () => {
    expect(desire(stateOf(message({ peers: [peer({})] })), EMPTY_SURVEY).plane.tunnel).toBeUndefined();
  });
});
