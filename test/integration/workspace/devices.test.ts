import { Buffer } from "node:buffer";
import { once, type EventEmitter } from "node:events";
import { connect, connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startGateRig, type GateRig } from "../../support/gate-rig.ts";

let rig: GateRig;
beforeAll(async () => {
  rig = await startGateRig();
}, 120_000);
afterAll(() => rig.close());

function loginOf(device: string) {
  return { username: device.replace("/", "/devices/"), password: rig.secretOf(device) };
}

/** A client that never comes back by itself, so that a test sees its end. */
async function client(device: string, options: IClientOptions = {}, url = rig.url): Promise<MqttClient> {
  const one = await connectAsync(url, { ...loginOf(device), reconnectPeriod: 0, ...options }, false);
  one.on("error", () => undefined);
  onTestFinished(() => one.endAsync(true));
  return one;
}

/** What the workspaces' host reads meanwhile. */
async function hear(): Promise<readonly string[]> {
  const heard: string[] = [];
  const host = await connectAsync(rig.brokerUrl, { username: "host", password: rig.hostPassword, protocolVersion: 5 });
  onTestFinished(() => host.endAsync(true));
  host.on("message", (topic, payload, { retain }) => heard.push(`${topic} ${payload.toString()}${retain ? " r" : ""}`));
  await host.subscribeAsync(["acme/devices/#", "other/devices/#"], { qos: 1 });
  return heard;
}

const VERSIONS = [4, 5] as const;

describe.each(VERSIONS)("a device of MQTT version %i", protocolVersion => {
  it("publishes to its own topics and gets its commands", async () => {
    const heard = await hear();
    const device = await client("acme/d1", { protocolVersion });
    await device.subscribeAsync("acme/devices/d1/commands/#", { qos: 1 });
    const command = once(device as unknown as EventEmitter, "message");
    for (const qos of [0, 1, 2] as const)
      await device.publishAsync("acme/devices/d1/telemetry/location", `qos ${qos}`, { qos });
    await eventually(() => expect(heard.filter(one => one.startsWith("acme/devices/d1/telemetry"))).toHaveLength(3));
    const host = await connectAsync(rig.brokerUrl, { username: "host", password: rig.hostPassword });
    onTestFinished(() => host.endAsync(true));
    await host.publishAsync("acme/devices/d1/commands/reboot", "now", { qos: 1 });
    expect(String((await command)[1])).toBe("now");
  });

  it("publishes nothing to a foreign topic, is told so as its version can, and it is counted", async () => {
    const heard = await hear();
    const device = await client("acme/d2", { protocolVersion });
    const before = (await rig.device("acme/d2")).denied;
    const told: unknown[] = [];
    for (const qos of [0, 1, 2] as const)
      await device
        .publishAsync("other/devices/d2/telemetry/x", `qos ${qos}`, { qos })
        .catch((error: unknown) => told.push(error));
    await device
      .publishAsync("acme/devices/d2/commands/x", "own command", { qos: 1, retain: true })
      .catch(() => undefined);
    await device.publishAsync("acme/devices/d2/telemetry/x", "own", { qos: 1 });
    await eventually(() => expect(heard).toContain("acme/devices/d2/telemetry/x own"));
    expect(heard.filter(one => !one.startsWith("acme/devices/d2/telemetry"))).toEqual([]);
    // 3.1.1 has no error for it: it is told by `skep device show` only.
    expect(told).toHaveLength(protocolVersion === 5 ? 2 : 0);
    await eventually(async () => expect((await rig.device("acme/d2")).denied - before).toBe(4));
    expect((await rig.device("acme/d2")).deniedTopic).toBe("acme/devices/d2/commands/x");
  });

  it("is ended within seconds once its secret is changed, and its will says so", async () => {
    const heard = await hear();
    const will = { topic: "acme/devices/d3/status", payload: Buffer.from("offline"), qos: 1, retain: false } as const;
    const device = await client("acme/d3", { protocolVersion, will });
    const ended = once(device as unknown as EventEmitter, "close");
    await rig.rotate("acme/d3");
    await ended;
    await eventually(() => expect(heard).toContain("acme/devices/d3/status offline"));
    await expect(client("acme/d3", { protocolVersion, password: "the old one" })).rejects.toThrow(
      /authorized|password/i,
    );
    await client("acme/d3", { protocolVersion });
  });

  it("has one session, whatever it calls itself, and no other device can take it", async () => {
    const first = await client("acme/d4", { protocolVersion, clientId: "a", clean: false });
    const other = await client("acme/d5", { protocolVersion, clientId: "acme/devices/d4", clean: false });
    await other.publishAsync("acme/devices/d5/telemetry/x", "1", { qos: 1 });
    expect(first.connected).toBe(true);
    const ended = once(first as unknown as EventEmitter, "close");
    await client("acme/d4", { protocolVersion, clientId: "b", clean: false });
    await ended;
    expect(other.connected).toBe(true);
  });
});

describe("a gate", () => {
  it("serves MQTT over WebSocket", async () => {
    const heard = await hear();
    const device = await client("acme/d6", { protocolVersion: 5 }, rig.webSocketUrl);
    await device.publishAsync("acme/devices/d6/telemetry/x", "by socket", { qos: 1 });
    await eventually(() => expect(heard).toContain("acme/devices/d6/telemetry/x by socket"));
  });

  it("lets in who was admitted before while no scheduler answers, and nobody else", async () => {
    await client("acme/d7");
    rig.unheard(true);
    onTestFinished(() => rig.unheard(false));
    await client("acme/d7");
    await expect(client("acme/d8")).rejects.toThrow("Couldn't connect");
  });

  // The library gives up for ever after a CONNACK that refuses.
  it.each([
    ["the broker is away", "acme/d9", () => rig.broker.stop(), () => rig.broker.start()],
    ["no scheduler answers", "acme/d8", async () => rig.unheard(true), async () => rig.unheard(false)],
  ])("has devices come back by themselves that connect while %s", async (_, device, away, back) => {
    await away();
    const ends = vi.fn<() => void>();
    const one = connect(rig.url, { ...loginOf(device), reconnectPeriod: 50 }).on("close", ends);
    onTestFinished(() => one.endAsync(true));
    await eventually(() => expect(ends.mock.calls.length).toBeGreaterThan(1));
    await back();
    await eventually(() => expect(one.connected).toBe(true));
  });

  it("passes 20,000 messages each way untouched, however they are cut", async () => {
    const device = await client("acme/d10", { protocolVersion: 4 });
    await device.subscribeAsync("acme/devices/d10/telemetry/#", { qos: 0 });
    let got = 0;
    device.on("message", (_topic, payload) => {
      expect(payload.toString()).toBe(`${"x".repeat(got % 300)}${got}`);
      got += 1;
    });
    for (let n = 0; n < 20_000; n++)
      device.publish("acme/devices/d10/telemetry/x", `${"x".repeat(n % 300)}${n}`, { qos: 0 });
    await eventually(() => expect(got).toBe(20_000), 15_000);
  });
});
