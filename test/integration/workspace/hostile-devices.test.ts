import { Buffer } from "node:buffer";
import { connect as connectTcp, type Socket } from "node:net";
import { digestSecret } from "@skep/kit/secret-digest.ts";
import { connectAsync } from "mqtt";
import { generate, parser, type IConnectPacket, type Packet } from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startGateRig, type GateRig } from "../../support/gate-rig.ts";

// Each attempt stands with the answer that it gets. The neighbour hears of none of them.

let rig: GateRig;
const heard: string[] = [];
beforeAll(async () => {
  rig = await startGateRig();
  const login = { username: "host", password: rig.hostPassword, protocolVersion: 5 } as const;
  const host = await connectAsync(rig.brokerUrl, login);
  host.on("message", topic => heard.push(topic));
  await host.subscribeAsync("+/devices/#", { qos: 1 });
}, 120_000);
afterAll(async () => {
  await rig.close();
});

/** A bare socket to the gate: what no library would send goes out as well. */
async function raw(port = Number(new URL(rig.url).port)) {
  const socket: Socket = connectTcp(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  let came = Buffer.alloc(0);
  let isOver = false;
  socket.on("data", chunk => (came = Buffer.concat([came, chunk])));
  socket.on("close", () => (isOver = true));
  const packets = (version: number): readonly Packet[] => {
    const found: Packet[] = [];
    const parse = parser({ protocolVersion: version });
    parse.on("packet", packet => found.push(packet));
    parse.parse(came);
    return found;
  };
  /** What came after so many packets, or that it ended, as words. */
  const answer = (version: number, after = 0): Promise<string> =>
    eventually(() => {
      const [packet] = packets(version).slice(after);
      if (packet !== undefined) return words(packet);
      if (isOver) return "ended";
      throw new Error("no answer yet");
    });
  return { answer, send: (...parts: readonly (Packet | Buffer)[]) => write(socket, parts), over: () => isOver };
}

function write(socket: Socket, parts: readonly (Packet | Buffer)[], protocolVersion = 5): void {
  for (const part of parts) socket.write(Buffer.isBuffer(part) ? part : generate(part, { protocolVersion }));
}

function words(packet: Packet): string {
  if (packet.cmd === "suback") return `suback ${packet.granted.map(String).join(" ")}`;
  const code = "reasonCode" in packet ? packet.reasonCode : "returnCode" in packet ? packet.returnCode : undefined;
  return `${packet.cmd} ${code ?? 0}`;
}

const connectPacket = (more: Partial<IConnectPacket> = {}): Packet => ({
  ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 5, clean: true, clientId: "x", keepalive: 60 },
  ...{ username: "acme/devices/d1", password: Buffer.from(rig.secretOf("acme/d1")) },
  ...more,
});
const v3 = { protocolVersion: 4 } as const;
const will = (topic: string) => ({ will: { topic, payload: Buffer.from("x"), qos: 0, retain: true } as const });

describe("credentials", () => {
  it.each<[string, () => Partial<IConnectPacket>, string]>([
    ["a wrong secret", () => ({ password: Buffer.from("wrong") }), "connack 134"],
    ["a wrong secret, by 3.1.1", () => ({ ...v3, password: Buffer.from("wrong") }), "connack 4"],
    ["another device's secret", () => ({ password: Buffer.from(rig.secretOf("acme/d2")) }), "connack 134"],
    ["the digest in place of the secret", () => digested(), "connack 134"],
    ["the same device of another workspace", () => ({ username: "other/devices/d1" }), "connack 134"],
    ["a workspace that is not there", () => ({ username: "none/devices/d1" }), "connack 134"],
    ["a device that is not there", () => ({ username: "acme/devices/none" }), "connack 134"],
    ["a wildcard for a device", () => ({ username: "acme/devices/+" }), "connack 134"],
    ["a wildcard for all", () => ({ username: "#" }), "connack 134"],
    ["one level too many", () => ({ username: "acme/devices/d1/x" }), "connack 134"],
    ["a way up", () => ({ username: "other/../acme/devices/d1" }), "connack 134"],
    [
      "the host's own name and secret",
      () => ({ username: "host", password: Buffer.from(rig.hostPassword) }),
      "connack 134",
    ],
    ["the gate's own name", () => ({ username: "gate" }), "connack 134"],
    ["a client id of another device", () => ({ clientId: "acme/devices/d2" }), "connack 0"],
    ["an authentication method", () => ({ properties: { authenticationMethod: "PLAIN" } }), "connack 140"],
    ["a foreign will", () => will("other/devices/d1/status"), "connack 135"],
    ["a foreign will, by 3.1.1", () => ({ ...v3, ...will("acme/devices/d2/status") }), "connack 5"],
    ["a command as its will", () => will("acme/devices/d1/commands/reboot"), "connack 135"],
    ["a will for the broker", () => will("$SYS/broker/uptime"), "connack 135"],
  ])("%s", async (_, more, expected) => {
    const one = await raw();
    const packet = connectPacket(more());
    const version = (packet as IConnectPacket).protocolVersion ?? 5;
    one.send(generate(packet, { protocolVersion: version }));
    expect(await one.answer(version)).toBe(expected);
  });

  it("no name, or no secret", async () => {
    for (const missing of ["username", "password"] as const) {
      const packet = { ...connectPacket(), [missing]: undefined } as Packet;
      const bytes = missing === "username" ? { ...packet, password: undefined } : packet;
      const one = await raw();
      one.send(bytes as Packet);
      expect(await one.answer(5)).toBe("connack 134");
    }
  });

  it("a disabled device", async () => {
    await rig.disable("acme/d12");
    const one = await raw();
    one.send(connectPacket({ username: "acme/devices/d12", password: Buffer.from(rig.secretOf("acme/d12")) }));
    expect(await one.answer(5)).toBe("connack 134");
  });

  it("guessing: the eleventh guess is not looked at, and the neighbour at the same address is let in", async () => {
    const guess = async (): Promise<string> => {
      const one = await raw();
      one.send(connectPacket({ username: "acme/devices/d11", password: Buffer.from("guess") }));
      return one.answer(5);
    };
    for (let n = 0; n < 10; n++) expect(await guess()).toBe("connack 134");
    expect(await guess()).toBe("connack 138");
    const owner = await raw();
    owner.send(connectPacket());
    expect(await owner.answer(5)).toBe("connack 0");
  });

  it("the broker itself, past the gate", async () => {
    const login = { username: "acme/devices/d1", password: rig.secretOf("acme/d1"), reconnectPeriod: 0 };
    await expect(connectAsync(rig.brokerUrl, login, false)).rejects.toThrow(/authorized/i);
    await expect(connectAsync(rig.brokerUrl, { reconnectPeriod: 0 }, false)).rejects.toThrow(/authorized/i);
  });
});

function digested(): Partial<IConnectPacket> {
  return { password: Buffer.from(digestSecret("acme/devices/d1", rig.secretOf("acme/d1"))) };
}

describe("topics", () => {
  const FOREIGN = [
    ...["other/devices/d1/telemetry/x", "acme/devices/d2/telemetry/x", "acme/devices/d1/commands/reboot"],
    ...["$SYS/broker/uptime", "$CONTROL/dynamic-security/v1", "$share/g/acme/devices/d1/telemetry"],
    ...["acme/devices/d1", "acme/devices/d1/", "/acme/devices/d1/telemetry/x", "acme/devices/d1/telemetry/x/y"],
    ...["acme/devices/d1/../d2/telemetry", "acme/devices/d1/+/x", "acme/devices/d1/#", "ACME/devices/d1/telemetry/x"],
    ...["_skep/stored/acme", "_skep/begun/acme", "_skep/devices/d1/telemetry"],
    ...["acme/devices/d1\u200b/telemetry/x", "acme/devices/d1/telemetry/\uff0e"],
  ];
  it.each(FOREIGN)("publish to %s", async topic => {
    const one = await raw();
    one.send(connectPacket(), { cmd: "publish", topic, payload: "x", qos: 1, messageId: 1, dup: false, retain: true });
    expect(await one.answer(5, 1)).toBe("puback 135");
    const old = await raw();
    old.send(generate(connectPacket(v3), v3));
    const packet: Packet = { cmd: "publish", topic, payload: "x", qos: 2, messageId: 7, dup: false, retain: false };
    old.send(generate(packet, v3), generate({ cmd: "pubrel", messageId: 7 } as Packet, v3));
    expect([await old.answer(4, 1), await old.answer(4, 2)]).toEqual(["pubrec 0", "pubcomp 0"]);
    expect(heard).toEqual([]);
  });

  it.each([
    ...["#", "+/devices/#", "other/devices/d1/#", "acme/#", "acme/devices/+/telemetry", "acme/devices/d2/#"],
    ...["$SYS/#", "$share/g/#", "$share/g/acme/devices/d1/#", "$CONTROL/#", "acme/devices/d1", "acme/devices/d1/#/x"],
    ...["_skep/#", "_skep/stored/+", "+/stored/acme"],
    ...["acme/devices/d1/a+", `acme/devices/d1/${"x/".repeat(300)}#`],
  ])("subscribe to %s", async topic => {
    const one = await raw();
    const subscriptions = [{ topic, qos: 0 as const }];
    one.send(connectPacket(), { cmd: "subscribe", messageId: 1, subscriptions } as unknown as Packet);
    expect(await one.answer(5, 1)).toMatch(/^suback 135$|^ended$/);
    const old = await raw();
    old.send(
      generate(connectPacket(v3), v3),
      generate({ cmd: "subscribe", messageId: 1, subscriptions } as Packet, v3),
    );
    expect(await old.answer(4, 1)).toMatch(/^suback 128$|^ended$/);
  });

  it("subscribe to its own and a foreign one at once: neither", async () => {
    const one = await raw();
    const subscriptions = ["acme/devices/d1/commands/#", "other/devices/d1/#"].map(topic => ({
      topic,
      qos: 0 as const,
    }));
    one.send(connectPacket(), { cmd: "subscribe", messageId: 1, subscriptions } as unknown as Packet);
    expect(await one.answer(5, 1)).toBe("suback 135 135");
  });

  it("a foreign topic behind a topic alias", async () => {
    const one = await raw();
    const alias = { topicAlias: 1 };
    const publish = { cmd: "publish", payload: "x", qos: 1, dup: false, retain: false, properties: alias } as const;
    one.send(connectPacket());
    expect(await one.answer(5)).toBe("connack 0");
    one.send({ ...publish, topic: "other/devices/d1/telemetry/x", messageId: 1 } as Packet);
    expect(await one.answer(5, 1)).toBe("puback 135");
    // A PUBLISH of QoS 1 without a topic, with id 2 and alias 1.
    one.send(Buffer.from([0x32, 9, 0, 0, 0, 2, 3, 0x23, 0, 1, 0x78]));
    await eventually(() => expect(one.over()).toBe(true));
    expect(heard).toEqual([]);
  });

  it("the second wall: whoever took the gate's secret is still held to one device by the broker", async () => {
    const login = {
      username: "gate",
      password: rig.gatePassword,
      clientId: "acme/devices/d1",
      protocolVersion: 5,
    } as const;
    const one = await connectAsync(rig.brokerUrl, { ...login, reconnectPeriod: 0 });
    onTestFinished(() => one.endAsync(true));
    await expect(one.publishAsync("other/devices/d1/telemetry/x", "x", { qos: 1 })).rejects.toThrow(/authorized/i);
    expect(heard).toEqual([]);
  });

  it("a host that claims to be a device", async () => {
    const login = { username: "host", password: rig.hostPassword, protocolVersion: 5, reconnectPeriod: 0 } as const;
    const one = await connectAsync(rig.brokerUrl, login);
    onTestFinished(() => one.endAsync(true));
    await expect(one.publishAsync("acme/devices/d1/telemetry/x", "x", { qos: 1 })).rejects.toThrow(/authorized/i);
    expect(heard).toEqual([]);
  });
});

describe("sessions and streams", () => {
  const connected = (): Packet[] => [connectPacket()];
  it.each<[string, () => (Packet | Buffer)[], string]>([
    ["a publish before any CONNECT", () => [Buffer.from([0x30, 5, 0, 1, 0x61, 0x78, 0x78])], "ended"],
    ["a CONNECT of version 6", () => [Buffer.from([0x10, 12, 0, 4, 77, 81, 84, 84, 6, 2, 0, 60, 0, 0])], "ended"],
    ["a request of HTTP", () => [Buffer.from(`GET / HTTP/1.1\r\nhost: ${"a".repeat(60)}\r\n\r\n`)], "ended"],
    ["TLS where none is", () => [Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])], "ended"],
    ["a length of five bytes", () => [Buffer.from([0x10, 255, 255, 255, 255, 1])], "ended"],
    ["a CONNECT of 256 MB", () => [Buffer.from([0x10, 255, 255, 255, 127])], "ended"],
  ])("%s", async (_, send, expected) => {
    const one = await raw();
    one.send(...send());
    expect(await one.answer(5)).toBe(expected);
  });

  it.each<[string, () => (Packet | Buffer)[]]>([
    ["a second CONNECT", () => [connectPacket({ username: "acme/devices/d2" })]],
    ["a CONNACK", () => [Buffer.from([0x20, 2, 0, 0])]],
    ["a SUBACK", () => [Buffer.from([0x90, 3, 0, 1, 0])]],
    ["an AUTH", () => [Buffer.from([0xf0, 0])]],
    ["a packet of type 0", () => [Buffer.from([0, 0])]],
    ["a publish of QoS 3", () => [Buffer.from([0x36, 5, 0, 1, 0x61, 0, 1])]],
    ["a publish with an id of 0", () => [Buffer.from([0x32, 5, 0, 1, 0x61, 0, 0])]],
    ["a publish that is shorter than its topic", () => [Buffer.from([0x30, 3, 0, 9, 0x61])]],
    ["a topic that is no UTF-8", () => [Buffer.from([0x30, 4, 0, 2, 0xc0, 0xaf])]],
    ["a topic with a NUL", () => [Buffer.from([0x30, 4, 0, 2, 0x61, 0])]],
    ["a subscription that is cut off", () => [Buffer.from([0x82, 6, 0, 1, 0, 0, 9, 0x61])]],
    ["a packet that is too large", () => [Buffer.from([0x30, 255, 255, 127])]],
  ])("%s, once it is connected", async (_, send) => {
    const one = await raw();
    one.send(...connected());
    expect(await one.answer(5)).toBe("connack 0");
    one.send(...send());
    await eventually(() => expect(one.over()).toBe(true));
    expect(heard).toEqual([]);
  });

  it("no header where a proxy has to stand before the gate, and a forged one where none does", async () => {
    const bare = await raw(rig.proxiedPort);
    bare.send(connectPacket());
    expect(await bare.answer(5)).toBe("ended");
    const forged = await raw();
    forged.send(Buffer.from("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"), connectPacket());
    expect(await forged.answer(5)).toBe("ended");
    const honest = await raw(rig.proxiedPort);
    honest.send(Buffer.from("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"), connectPacket());
    expect(await honest.answer(5)).toBe("connack 0");
  });
});
