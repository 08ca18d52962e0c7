import { NetProtocol, NetWay, type NetState } from "@skep/api/gen/skep/v1/net_pb.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { OUTSIDE } from "../../support/net-rig.ts";
import type { Order } from "../../support/net-speaker.ts";
import { inTunnel } from "./in-tunnel.ts";
import { TABLE, type Cell } from "./reach-table.ts";
import { INSTANCES, openTwoNodes, type Name, type TwoNodes } from "./two-nodes.ts";

let net: TwoNodes;

/** Who answered, or `nobody` for an error or silence. */
async function ask(from: Cell["from"], order: Order): Promise<string> {
  const answer = await net.speakers[from].tell(order);
  return / saw /.test(answer) ? answer.slice(0, answer.indexOf(" saw ")) : "nobody";
}

const tcp = (from: Cell["from"], host: string, port = 80): Promise<string> => ask(from, { kind: "tcp", host, port });

/** Who should be reached may be slow on a busy machine; who should not has to stay away at once. */
async function askFor({ from, order, answer }: Cell): Promise<string> {
  const first = await ask(from, order);
  return answer === "nobody" || first === answer ? first : ask(from, order);
}

async function expectTable(): Promise<void> {
  const rows = await Promise.all(TABLE.map(async cell => `${cell.from} → ${cell.to}: ${await askFor(cell)}`));
  expect(rows).toEqual(TABLE.map(({ from, to, answer }) => `${from} → ${to}: ${answer}`));
}

async function change(node: number, how: (state: NetState) => void): Promise<NetState> {
  const state = net.stateOf(node, how);
  await net.keepers[node]!.apply(state);
  return state;
}

const without = (name: Name) => (state: NetState) => {
  state.attachments = state.attachments.filter(one => one.instanceId !== name);
  state.remotes = state.remotes.filter(one => one.address !== INSTANCES[name].address);
};

describe("two nodes through VXLAN", () => {
  beforeAll(async () => void (net = await openTwoNodes(NetWay.VXLAN)));
  afterAll(() => net?.close());

  it("reach what they should and nothing else", expectTable);

  it("take nothing out of a tunnel that is not a node's", async () => {
    const payload = inTunnel(INSTANCES.a4.address, INSTANCES.a1.address, 5000).toString("base64");
    const order = { kind: "udp", host: "198.18.0.11", port: 8472, payload } as const;
    await net.speakers.world.tell(order);
    expect(await net.speakers.a1.tell({ kind: "heard" })).not.toContain(INSTANCES.a4.address);
    await net.speakers.node2.tell(order);
    expect(await net.speakers.a1.tell({ kind: "heard" })).toContain(INSTANCES.a4.address);
  });
});

describe("two nodes by plain routes", () => {
  beforeAll(async () => void (net = await openTwoNodes(NetWay.DIRECT)));
  afterAll(() => net?.close());

  it("reach what they should and nothing else", expectTable);

  it("need nothing more, once they are as they were told", async () => {
    const { done, faults } = await net.keepers[0]!.apply(net.stateOf(0));
    expect({ done, faults }).toEqual({ done: [], faults: [] });
  });

  it.each([
    ["a1", "another tenant's instance", "10.128.0.5", "b2"],
    ["a1", "a node", "198.18.0.11", "b2"],
    ["world", "an instance of this node", "10.128.0.3", "a1"],
    ["world", "an instance that nobody has", "10.128.77.7", "a1"],
    ["world", "an instance that nobody has, through the node", "10.128.77.7", "edge"],
    ["world", "an instance that nobody has, to the node itself", "10.128.77.7", "node1"],
  ] as const)("hear nobody who speaks with another's address: %s as %s", async (who, _, from, to) => {
    const device = who === "world" ? "lo" : "eth0";
    await net.rig.ip(who, `address add ${from}/32 dev ${device}`);
    const host = { edge: "172.18.0.2", node1: "198.18.0.11", a1: INSTANCES.a1.address, b2: INSTANCES.b2.address }[to];
    await net.speakers[who].tell({ kind: "udp", host, port: 5000, from });
    await net.rig.ip(who, `address delete ${from}/32 dev ${device}`);
    expect((await net.speakers[to].tell({ kind: "heard" })).split(" ")).not.toContain(from);
  });

  it("carry no IPv6 yet, whatever addresses a person gives", async () => {
    const { run } = net.rig.nodes[0]!;
    await run(["sh"], "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    for (const [index, name] of (["a1", "b1"] as const).entries()) {
      const [device] = /skn[0-9a-f]+/.exec(await run(["ip", "route", "get", INSTANCES[name].address])) ?? [];
      await net.rig.ip("node1", `address add fd00:${index}::1/64 dev ${device} nodad`);
      await net.rig.ip(
        name,
        `address add fd00:${index}::2/64 dev eth0 nodad`,
        `route add default via fd00:${index}::1`,
      );
    }
    expect(await tcp("a1", "fd00:1::2", 443)).toBe("nobody");
  });

  it("leave the traffic of tenants out of the node's table of connections", async () => {
    expect(await tcp("a1", INSTANCES.a2.address)).toBe("a2");
    const table = await net.rig.nodes[0]!.run(["conntrack", "-L"]);
    expect(table).not.toContain(`src=${INSTANCES.a1.address} dst=${INSTANCES.a2.address}`);
    expect(table).toContain(`src=${INSTANCES.a1.address} dst=${OUTSIDE.internet}`);
  });

  it("go on while netd is away, and after it has come back", async () => {
    const kept = await change(0, () => undefined);
    await net.speakers.a1.tell({ kind: "open", name: "long", host: INSTANCES.a4.address, port: 80 });
    await net.keepers[0]!.close();
    await expectTable();
    net.keepers[0] = await net.keeper(0, kept);
    await eventually(() => expect(net.keepers[0]!.inspect()).toMatchObject({ faults: [], repairs: 0 }));
    await expectTable();
    expect(await net.speakers.a1.tell({ kind: "say", name: "long" })).toBe("echo");
  });

  it("are put back as they were when a person changed them", async () => {
    const { run } = net.rig.nodes[0]!;
    await run(["nft", "flush", "ruleset"]);
    await eventually(async () => expect(await tcp("a1", INSTANCES.b1.address)).toBe("nobody"));
    await run(["nft", "add", "rule", "inet", "skep", "forward", "accept"]);
    await run(["ip", "route", "delete", "10.128.16.0/20"]);
    await run(["sh"], "ip link delete $(ip -o route get 10.128.0.3 | sed 's/.*dev \\(skn[0-9a-f]*\\).*/\\1/')");
    await eventually(async () => expect(await tcp("a1", INSTANCES.a2.address)).toBe("a2"));
    await eventually(async () => expect(await tcp("a1", INSTANCES.a4.address)).toBe("a4"));
    await eventually(async () =>
      expect(await run(["nft", "list", "chain", "inet", "skep", "forward"])).not.toMatch(/^\s*accept$/m),
    );
    expect(net.keepers[0]!.inspect().repairs).toBeGreaterThan(0);
  });

  it.each(["a2", "a4"] as const)("reset a long connection to an instance that is gone (%s)", async name => {
    await net.speakers.a1.tell({ kind: "open", name, host: INSTANCES[name].address, port: 80 });
    expect(await net.speakers.a1.tell({ kind: "say", name })).toBe("echo");
    await change(0, without(name));
    expect(await net.speakers.a1.tell({ kind: "say", name })).toBe("ECONNRESET");
    expect(await net.speakers.a1.tell({ kind: "tcp", host: INSTANCES[name].address, port: 80 })).toBe("ECONNREFUSED");
    await change(0, () => undefined);
    expect(await tcp("a1", INSTANCES[name].address)).toBe(name);
  });

  it("lead a flow of UDP to who publishes its port now", async () => {
    const publish = (name: Name) => (state: NetState) => {
      const port = { protocol: NetProtocol.UDP, hostPort: 5353, containerPort: 5000 };
      state.attachments.find(one => one.instanceId === name)!.published = [port] as never;
    };
    const flow = { kind: "udp", host: "198.18.0.11", port: 5353, fromPort: 40_001 } as const;
    await change(0, publish("a1"));
    expect(await ask("world", flow)).toBe("a1");
    await change(0, publish("a2"));
    expect(await ask("world", flow)).toBe("a2");
    await change(0, () => undefined);
  });

  it("answer names by themselves, though an instance publishes that port", async () => {
    await change(0, state => {
      const port = { protocol: NetProtocol.TCP, hostPort: 53, containerPort: 80 };
      state.attachments.find(one => one.instanceId === "a1")!.published = [port] as never;
    });
    expect([await tcp("world", "198.18.0.11", 53), await tcp("a2", "169.254.1.1", 53)]).toEqual(["a1", "node1"]);
    await change(0, () => undefined);
  });

  it("shut out at once who leaves a network", async () => {
    await net.speakers.a2.tell({ kind: "open", name: "left", host: INSTANCES.a1.address, port: 80 });
    await change(0, state => {
      state.attachments.find(one => one.instanceId === "a2")!.networks = [2];
    });
    expect(await net.speakers.a2.tell({ kind: "say", name: "left" })).toBe("ECONNRESET");
    expect(await tcp("a2", INSTANCES.a3.address)).toBe("a3");
    await change(0, () => undefined);
  });

  it("let a tenant reach of the internet what its rules say", async () => {
    const { internet } = OUTSIDE;
    const block = `${internet}/32`;
    await change(0, state => {
      state.walls!.egress = [{ tenantId: "b", allowed: [] }] as never;
    });
    expect([await tcp("b1", internet), await tcp("a1", internet)]).toEqual(["nobody", "world"]);
    await change(0, state => {
      const allowed = [{ block, protocol: NetProtocol.TCP, fromPort: 81, toPort: 90 }];
      state.walls!.egress = [{ tenantId: "b", allowed }] as never;
    });
    expect([await tcp("b1", internet), await tcp("b1", internet, 81)]).toEqual(["nobody", "world"]);
    await change(0, state => void (state.walls!.denied = [block]));
    expect([await tcp("b1", internet), await tcp("a1", internet)]).toEqual(["nobody", "nobody"]);
  });

  it("let nobody out whose networks are all internal", async () => {
    await change(0, state => void (state.networks.find(one => one.id === 2)!.isInternal = true));
    expect([await tcp("a3", OUTSIDE.internet), await tcp("a3", "198.18.0.11", 443)]).toEqual(["nobody", "nobody"]);
    expect([await tcp("a3", INSTANCES.a2.address), await tcp("a2", OUTSIDE.internet)]).toEqual(["a2", "world"]);
  });

  it("pass Docker's own firewall, and name one that nobody passes", async () => {
    const { run } = net.rig.nodes[0]!;
    await run(
      ["sh"],
      "iptables-nft -N DOCKER-USER; iptables-nft -A FORWARD -j DOCKER-USER; iptables-nft -P FORWARD DROP",
    );
    await eventually(async () => expect(await tcp("a1", INSTANCES.a2.address)).toBe("a2"));
    expect(net.keepers[0]!.inspect().faults).toEqual([]);
    await run(["sh"], "iptables-nft -F; iptables-nft -X DOCKER-USER");
    await eventually(() =>
      expect(net.keepers[0]!.inspect().faults).toMatchObject([
        { reason: "firewall", message: expect.stringMatching(/^iptables drops/) as string },
      ]),
    );
  });
});
