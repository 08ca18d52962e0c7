import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startGateRig, type GateRig } from "../../support/gate-rig.ts";

let rig: GateRig;
beforeAll(async () => {
  rig = await startGateRig();
}, 120_000);
afterAll(() => rig.close());

/** What the host of a workspace hears at a broker of a device. */
async function hear(url: string, password: string, device: string): Promise<readonly number[]> {
  const heard: number[] = [];
  const host = await connectAsync(url, { username: "host", password, protocolVersion: 5 });
  onTestFinished(() => host.endAsync(true));
  host.on("message", (_topic, payload) => heard.push(Number(payload.toString())));
  await host.subscribeAsync(`acme/devices/${device}/#`, { qos: 2 });
  return heard;
}

/** Numbers messages until it is told to end; answers those that were acknowledged. */
function publishAll(client: MqttClient, topic: string, qos: 1 | 2): { stop(): Promise<readonly number[]> } {
  const acknowledged: number[] = [];
  let isEnding = false;
  const all = (async () => {
    const open = new Set<Promise<unknown>>();
    for (let n = 0; !isEnding; n++) {
      const one = client.publishAsync(topic, String(n), { qos }).then(
        () => acknowledged.push(n),
        () => (isEnding = true),
      );
      open.add(one);
      void one.finally(() => open.delete(one));
      if (open.size >= 20) await Promise.race(open);
      if (n % 5 === 0) await sleep(1);
    }
    await Promise.all(open);
  })();
  return { stop: async () => ((isEnding = true), await all, acknowledged) };
}

function connect(device: string, protocolVersion: 4 | 5): Promise<MqttClient> {
  const login = { clientId: device, username: `acme/devices/${device}`, password: rig.secretOf(`acme/${device}`) };
  const client = connectAsync(rig.url, { ...login, protocolVersion, reconnectPeriod: 20, clean: false }, false);
  onTestFinished(async () => (await client).endAsync(true));
  return client;
}

const DEVICES = [
  ["d1", 4, 1],
  ["d2", 5, 1],
  ["d3", 4, 2],
  ["d4", 5, 2],
] as const;

it("sends devices to another broker: each message is at one of them, acknowledged, once and in order", async () => {
  const all = await Promise.all(
    DEVICES.map(async ([device, version, qos]) => {
      const shared = await hear(rig.brokerUrl, rig.hostPassword, device);
      const own = await hear(rig.ownBroker.url, rig.ownHostPassword, device);
      const publishing = publishAll(await connect(device, version), `acme/devices/${device}/telemetry/n`, qos);
      return { shared, own, publishing };
    }),
  );
  const each = (isSo: (one: (typeof all)[number], index: number) => boolean) =>
    eventually(() => expect(all.every(isSo)).toBe(true));
  await each(one => one.shared.length > 100);
  await rig.sendTo("own");
  await eventually(async () => expect(await rig.isConfirmed()).toBe(true));
  await sleep(100);
  const before = all.map(one => one.shared.length);
  await each(one => one.own.length > 100);
  expect(all.map(one => one.shared.length)).toEqual(before);
  await rig.sendTo("shared");
  await each((one, index) => one.shared.length > before[index]! + 100);
  for (const [index, { shared, own, publishing }] of all.entries()) {
    const acknowledged = await publishing.stop();
    await eventually(() => expect(shared.length + own.length).toBeGreaterThanOrEqual(acknowledged.length));
    const inOrder = [...shared.slice(0, before[index]), ...own, ...shared.slice(before[index])];
    expect(inOrder, String(DEVICES[index])).toEqual(acknowledged.map((_, n) => n));
  }
});

it("confirms nothing while a gate does not hear the schedulers, and lets devices in where they were", async () => {
  await rig.sendTo("shared");
  await connect("d5", 4);
  await eventually(async () => expect(await rig.isConfirmed()).toBe(true));
  rig.unheard(true);
  onTestFinished(() => rig.unheard(false));
  await rig.sendTo("own");
  await sleep(1_500);
  expect(await rig.isConfirmed()).toBe(false);
  await connect("d5", 4);
  rig.unheard(false);
  await eventually(async () => expect(await rig.isConfirmed()).toBe(true));
});
