import type { MessageInitShape } from "@bufbuild/protobuf";
import { NetProtocol, NetWay, type NetAttachmentSchema } from "@skep/api/gen/skep/v1/net_pb.ts";
import { describe, expect, it } from "vitest";
import { attachment, fullMessage, message, peer } from "../testing/states.ts";
import { readState } from "./read-state.ts";

type Attachment = MessageInitShape<typeof NetAttachmentSchema>;

/** The reasons and words for what is wrong with one more sandbox beside a good one. */
function faultsWith(change: object): readonly string[] {
  const wrong = attachment({ instanceId: "wrong", address: "10.128.0.9", netns: "/run/netns/w", ...change });
  const { state, faults } = readState(message({ attachments: [attachment({}), wrong] as Attachment[] as never }));
  expect(state.attachments.map(one => one.instanceId)).toEqual(["a1"]);
  return faults.map(fault => `${fault.reason} ${fault.instanceId}: ${fault.message}`);
}

describe("a state that was told", () => {
  it("is read whole where nothing is wrong", () => {
    const { state, faults } = readState(fullMessage(["/run/netns/one", "/run/netns/two"]));
    expect(faults).toEqual([]);
    expect(state.attachments).toHaveLength(2);
    expect(state.walls.egress.get("b")).toHaveLength(2);
  });

  it.each([
    [{ pool: "10.128.0.0" }, "the pool"],
    [{ node: { nodeId: "node-1", block: "10.64.0.0/20", address: "198.18.0.11" } }, "block"],
    [{ node: { nodeId: "node-1", block: "10.128.0.0/20", address: "10.128.0.1" } }, "address"],
    [{ node: { nodeId: "node-1", block: "10.128.0.0/20", address: "node-1" } }, "address"],
    [{ node: { nodeId: "node-1", block: "10.128.0.0/31", address: "198.18.0.11" } }, "block"],
  ])("is refused where the node itself is wrong: %j", (change, words) => {
    expect(() => readState(message(change))).toThrow(words);
  });

  it.each([
    [{ address: "10.128.16.9" }, "is none for instances of this node"],
    [{ address: "10.128.0.0" }, "is none for instances of this node"],
    [{ address: "10.128.0.2" }, "a1 (epoch 1) has its address 10.128.0.2 too"],
    [{ networks: [9] }, "its network 9 is not among those that were told"],
    [{ networks: [1, 1, 1, 1, 1, 1, 1, 1, 1] }, "at most 8 are possible"],
    // These are written into lines that programs read.
    [{ netns: "/run/netns/x\nlink delete eth0" }, "is no path of a network namespace"],
    [{ netns: "/run/$(reboot)" }, "is no path of a network namespace"],
    [{ netns: "relative" }, "is no path of a network namespace"],
    [{ netns: `/${"long/".repeat(30)}` }, "is no path of a network namespace"],
    [{ instanceId: 'x" up' }, "is no id of an instance"],
  ])("leaves out a sandbox that cannot be in the network, and names it: %j", (change, words) => {
    expect(faultsWith(change).join()).toContain(words);
  });

  it("knows who may not leave its networks", () => {
    const isInternal = (networks: readonly number[]) =>
      readState(message({ attachments: [attachment({ networks: [...networks] })] })).state.attachments[0]?.isInternal;
    expect([isInternal([2]), isInternal([1, 2]), isInternal([])]).toEqual([true, false, false]);
  });

  it("knows no network without an id, since it would be no mark", () => {
    const { faults } = readState(message({ networks: [{ id: 0 }], attachments: [attachment({ networks: [0] })] }));
    expect(faults).toMatchObject([{ reason: "attachment-invalid" }]);
  });

  it("takes a copy once", () => {
    const twice = [attachment({}), attachment({ address: "10.128.0.9" })];
    const { state, faults } = readState(message({ attachments: twice }));
    expect([state.attachments.length, faults[0]?.message]).toEqual([
      1,
      "a1 (epoch 1) is in no network: it is told twice.",
    ]);
  });

  it("gives a port to the first that publishes it", () => {
    const published = [{ protocol: NetProtocol.TCP, hostPort: 8080, containerPort: 80 }];
    const second = attachment({ instanceId: "a2", address: "10.128.0.3", published });
    const { state, faults } = readState(message({ attachments: [attachment({ published }), second] }));
    expect(state.attachments.map(one => one.published.length)).toEqual([1, 0]);
    expect(faults).toMatchObject([{ reason: "port-taken", instanceId: "a2" }]);
  });

  it("takes no port that is none", () => {
    const published = [{ protocol: NetProtocol.TCP, hostPort: 0, containerPort: 80 }];
    const { faults } = readState(message({ attachments: [attachment({ published })] }));
    expect(faults).toMatchObject([{ reason: "port-taken" }]);
  });

  describe("of two nodes with one block", () => {
    it("sends nothing to the peer that has ours", () => {
      const { state, faults } = readState(message({ peers: [peer({ block: "10.128.0.0/20" }), other()] }));
      expect(state.peers.map(one => one.nodeId)).toEqual(["node-3"]);
      expect(faults).toMatchObject([{ reason: "block-shared", nodeId: "node-2" }]);
      expect(faults[0]?.message).toContain("Nodes node-2 and node-1 both have addresses of 10.128.0.0/20");
    });

    it("sends nothing to either of two peers", () => {
      const { state, faults } = readState(message({ peers: [peer({}), { ...other(), block: "10.128.24.0/21" }] }));
      expect(state.peers).toEqual([]);
      expect(faults.map(fault => fault.nodeId)).toEqual(["node-2", "node-3"]);
    });
  });

  function other() {
    return peer({ nodeId: "node-3", block: "10.128.32.0/20", address: "198.18.0.13" });
  }

  it.each([
    [{ way: NetWay.WIREGUARD }, "way-unavailable", "WireGuard is not built yet"],
    [{ way: NetWay.UNSPECIFIED }, "way-unavailable", "update netd"],
    [{ way: 99 as NetWay }, "way-unavailable", "update netd"],
    [{ block: "10.0.0.0/20" }, "peer-invalid", "does not fit the pool"],
    [{ address: "10.128.16.1" }, "peer-invalid", "does not fit the pool"],
  ])("leaves out a peer without a way, and names it: %j", (change, reason, words) => {
    const { state, faults } = readState(message({ peers: [peer(change), other()] }));
    expect(state.peers.map(one => one.nodeId)).toEqual(["node-3"]);
    expect(faults).toMatchObject([{ reason, nodeId: "node-2" }]);
    expect(faults[0]?.message).toContain(words);
  });

  it.each([
    [7, 4_789],
    [7, 0],
    [7, 70_000],
    [0, 8_472],
    [2 ** 24, 8_472],
  ])("has no way through VXLAN with the id %i and the port %i", (vni, port) => {
    const { state, faults } = readState(message({ peers: [peer({ way: NetWay.VXLAN })], vxlan: { vni, port } }));
    expect([state.peers, state.vxlan]).toEqual([[], undefined]);
    expect(faults).toMatchObject([{ reason: "way-unavailable" }]);
  });

  it.each([
    [{ address: "10.128.0.7", networks: [1] }, "no address of another node"],
    [{ address: "192.168.1.1", networks: [1] }, "no address of another node"],
    [{ address: "10.128.16.7", networks: [7] }, "its network 7"],
    [{ address: "10.128.16.8", networks: [3] }, "or told twice"],
  ])("leaves out who cannot live elsewhere: %j", (remote, words) => {
    const { state, faults } = readState(message({ remotes: [{ address: "10.128.16.8", networks: [1] }, remote] }));
    expect(state.remotes.map(one => one.address)).toEqual(["10.128.16.8"]);
    expect(faults[0]?.message).toContain(words);
  });

  it("opens nothing by what it cannot read of the walls", () => {
    const { state, faults } = readState(
      message({
        walls: {
          allowed: [
            { block: "0/0" },
            { block: "10.0.0.0/24", fromPort: 80, toPort: 80 },
            { block: "10.0.0.0/24", protocol: 9 as never },
            { block: "10.0.0.0/24", protocol: NetProtocol.TCP, fromPort: 90, toPort: 80 },
          ],
          edgePorts: [{ protocol: 1, port: 0 }],
          edgeSources: ["all"],
          egress: [{ tenantId: "b", allowed: [{ block: "everything" }] }],
        },
      }),
    );
    expect(state.walls).toMatchObject({ allowed: [], edgePorts: [], edgeSources: [], egress: new Map([["b", []]]) });
    expect(faults.map(fault => fault.reason)).toEqual(Array.from({ length: 7 }, () => "walls-invalid"));
  });
});
