import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { messageDigest, writeDigests } from "@skep/workspace/message-digest.ts";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startGateRig, type GateRig } from "../../support/gate-rig.ts";

let rig: GateRig;
beforeAll(async () => {
  rig = await startGateRig();
}, 120_000);
afterAll(() => rig.close());

async function client(device: string, options: IClientOptions = {}, url = rig.url): Promise<MqttClient> {
  const login = { username: `acme/devices/${device}`, password: rig.secretOf(`acme/${device}`) };
  const one = await connectAsync(url, { ...login, reconnectPeriod: 50, ...options }, true);
  one.on("error", () => undefined);
  onTestFinished(() => one.endAsync(true));
  return one;
}

/** Publishes, and remembers whether it was acknowledged. */
function publish(device: MqttClient, name: string, payload: string | Buffer, qos: 1 | 2, id?: string) {
  const said = { isAcknowledged: false };
  const properties = id === undefined ? {} : { properties: { userProperties: { id } } };
  void device.publishAsync(`acme/devices/${name}/telemetry/n`, payload, { qos, ...properties }).then(
    () => (said.isAcknowledged = true),
    () => undefined,
  );
  return said;
}

/** What the host of `acme` is delivered while it stores nothing. */
function holdBack(): void {
  rig.setAway(true);
  onTestFinished(() => rig.setAway(false));
}

describe.each([
  ["d1", 4, 1, "mqtt"],
  ["d2", 4, 2, "mqtt"],
  ["d3", 5, 1, "mqtt"],
  ["d4", 5, 2, "mqtt"],
  ["d5", 5, 1, "websocket"],
] as const)("device %s of MQTT version %i at QoS %i over %s", (device, protocolVersion, qos, way) => {
  const url = (): string => (way === "mqtt" ? rig.url : rig.webSocketUrl);

  it("is acknowledged nothing that is not stored, and all of it once it is", async () => {
    const one = await client(device, { protocolVersion }, url());
    holdBack();
    const all = Array.from({ length: 30 }, (_, n) => publish(one, device, `${n % 7}`, qos));
    await sleep(300);
    expect(all.filter(each => each.isAcknowledged)).toEqual([]);
    rig.setAway(false);
    await eventually(() => expect(all.every(each => each.isAcknowledged)).toBe(true));
    expect(one.connected).toBe(true);
  });
});

it("is known to host and gate by the same digest, whatever its payload and its id", async () => {
  const [old, recent] = [await client("d6"), await client("d7", { protocolVersion: 5 })];
  const payloads = [
    ...["", "1", "{}", "ä€😀", "\0"].map(one => Buffer.from(one)),
    ...[1, 127, 128, 255, 256, 20_000].map(size => Buffer.alloc(size, 0xc3)),
    Buffer.from(Array.from({ length: 256 }, (_, n) => n)),
  ];
  const sent = payloads.flatMap(payload => [
    publish(old, "d6", payload, 1),
    ...["1", "ä€😀", "x".repeat(300)].map(id => publish(recent, "d7", payload, 1, id)),
    publish(recent, "d7", payload, 1),
  ]);
  await eventually(() => expect(sent.filter(each => !each.isAcknowledged)).toEqual([]));
});

it.each(["its session of the host stays", "it has forgotten everything"])(
  "has a device send again what a broker took and lost that was killed: %s",
  async what => {
    const device = what.startsWith("its") ? "d8" : "d9";
    const one = await client(device, { protocolVersion: 5 });
    holdBack();
    const sent = [1, 2, 3].map(n => publish(one, device, `lost ${n}`, 1, String(n)));
    await sleep(200);
    await rig.broker.kill();
    if (device === "d9") await rm(`${rig.broker.directory}/mosquitto.db`, { force: true });
    rig.setAway(false);
    rig.setReading(false);
    onTestFinished(() => rig.setReading(true));
    await rig.broker.start();
    await eventually(() => expect(one.connected).toBe(true));
    // The broker takes them once more. Without the session it has nobody to keep them for.
    await sleep(300);
    expect(sent.filter(each => each.isAcknowledged)).toEqual([]);
    rig.setReading(true);
    await eventually(() => expect(sent.every(each => each.isAcknowledged)).toBe(true), 15_000);
  },
);

it.each([
  [4, 1],
  [4, 2],
  [5, 1],
] as const)(
  "takes once what a device of version %i sends again at QoS %i, whose connection ended",
  async (version, qos) => {
    const heard: string[] = [];
    const login = { username: "host", password: rig.hostPassword, protocolVersion: 5 } as const;
    const host = await connectAsync(rig.brokerUrl, login);
    onTestFinished(() => host.endAsync(true));
    host.on("message", (_, payload) => heard.push(payload.toString()));
    await host.subscribeAsync("acme/devices/d12/#", { qos: 1 });
    const one = await client("d12", { protocolVersion: version });
    holdBack();
    const sent = [1, 2, 3].map(n => publish(one, "d12", `${version} ${n}`, qos));
    await eventually(() => expect(heard).toHaveLength(3));
    await sleep(100);
    for (let times = 0; times < 2; times++) {
      one.stream.destroy();
      await eventually(() => expect(one.connected).toBe(false));
      await eventually(() => expect(one.connected).toBe(true));
      await sleep(200);
    }
    rig.setAway(false);
    await eventually(() => expect(sent.every(each => each.isAcknowledged)).toBe(true));
    expect(heard).toHaveLength(3);
  },
);

it("has nobody publish what hosts say, or hear it", async () => {
  const one = await client("d10", { protocolVersion: 5 });
  const neighbour = await client("d11", { protocolVersion: 5 });
  const heard: string[] = [];
  neighbour.on("message", topic => heard.push(topic));
  holdBack();
  const sent = publish(one, "d10", "x", 1);
  const digest = writeDigests([messageDigest("acme/devices/d10/telemetry/n", Buffer.from("x"), undefined)])[0]!;
  for (const topic of ["_skep/stored/acme", "_skep/begun/acme", "acme/devices/d11/_skep/stored/acme"])
    await neighbour.publishAsync(topic, digest, { qos: 1 }).catch(() => undefined);
  for (const filter of ["_skep/stored/+", "_skep/#", "+/stored/acme", "$share/g/_skep/#"])
    await expect(neighbour.subscribeAsync(filter, { qos: 1 })).rejects.toThrow();
  // The second wall: whoever knew the password of gates or hosts.
  const asGate = await connectAsync(rig.brokerUrl, {
    username: "gate",
    password: rig.gatePassword,
    protocolVersion: 5,
  });
  onTestFinished(() => asGate.endAsync(true));
  await asGate.publishAsync("_skep/stored/acme", digest, { qos: 1 }).catch(() => undefined);
  await sleep(200);
  expect([sent.isAcknowledged, one.connected, heard]).toEqual([false, true, []]);
});
