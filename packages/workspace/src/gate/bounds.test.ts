import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { generate, type Packet } from "mqtt-packet";
import { expect, it, onTestFinished, vi } from "vitest";
import { messageDigest, writeDigests } from "../message-digest.ts";
import type { GateApi } from "./gate-api.ts";
import { createGate } from "./create-gate.ts";
import { listenMqtt } from "./listen.ts";

const api: GateApi = {
  admit: claims => {
    const broker = { workspaceId: "acme", serial: 0, broker: "shared", isSwitched: false } as const;
    return Promise.resolve({ versions: claims.map(() => 1), brokers: [broker] });
  },
  place: () => Promise.resolve([]),
  report: devices => Promise.resolve(devices.map(() => true)),
};
const CONNECT = generate({
  ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, clientId: "x", keepalive: 60 },
  ...{ username: "acme/devices/d1", password: Buffer.from("s") },
});
const CONNACK = Buffer.from([0x20, 2, 0, 0]);
const V5 = { protocolVersion: 5 } as const;
const publish = (n: number, more: object = {}): Buffer =>
  generate({
    ...{ cmd: "publish", topic: "acme/devices/d1/telemetry", payload: `<${n}>`, qos: 0, dup: false, retain: false },
    ...more,
  } as Packet);

/** A gate on a virtual clock, before a broker that says only what a test lets it say. */
async function start(
  more: {
    readonly api?: GateApi;
    readonly most?: number;
    readonly behindProxy?: boolean;
    readonly isMute?: boolean;
    readonly mostPackets?: number;
    /** The answer that lets the gate hear. */
    readonly heard?: Promise<void>;
  } = {},
) {
  const clock = createVirtualClock();
  let got = "";
  /** What the gate has open at the broker. */
  const [ears, devices]: [Socket[], Socket[]] = [[], []];
  const broker = createServer(socket => {
    socket.on("error", () => undefined);
    socket.once("data", first => {
      if (first.includes("skep-gate-")) {
        ears.push(socket);
        return hearAsBroker(socket, more.heard);
      }
      devices.push(socket);
      if (more.isMute !== true) socket.write(CONNACK);
    });
    socket.on("data", chunk => (got += chunk.toString("latin1")));
  });
  await new Promise<void>(resolve => broker.listen(0, "127.0.0.1", resolve));
  const login = { username: "gate", password: "g" };
  const port = (broker.address() as AddressInfo).port;
  const settings = {
    broker: { host: "127.0.0.1", port, login },
    mostBytes: 1_024,
    mostPackets: more.mostPackets ?? 10,
    mostHeld: 1_000,
  };
  const gate = createGate({ gateId: "gate_a", api: more.api ?? api, settings, clock, log: createRecordingLog() });
  const entry = await listenMqtt({
    ...{ port: 0, host: "127.0.0.1", behindProxy: more.behindProxy ?? false, most: more.most ?? 9, mostBytes: 1_024 },
    ...{ clock, serve: gate.serve },
  });
  onTestFinished(async () => {
    await entry.close();
    await gate.close();
    broker.close();
  });
  const open = async (): Promise<Socket> => {
    const socket = connect(entry.port, "127.0.0.1").on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    await sleep(20);
    return socket;
  };
  const messages = (): number => got.match(/<\d+>/g)?.length ?? 0;
  const order = (): readonly string[] => got.match(/<\d+>/g) ?? [];
  return { clock, open, messages, order, entry, ears, devices, gate };
}

/** Lets the gate hear there what is stored. */
function hearAsBroker(socket: Socket, heard = Promise.resolve()): void {
  const suback = generate({ cmd: "suback", messageId: 1, granted: [1, 1] }, V5);
  socket.write(generate({ cmd: "connack", reasonCode: 0, sessionPresent: false }, V5));
  socket.on("data", chunk => {
    if (chunk[0] === 0x82) void heard.then(() => socket.write(suback));
    if (chunk[0] === 0xc0) socket.write(Buffer.from([0xd0, 0]));
  });
}

/** An end by a reset is an end as well. */
function ended(socket: Socket): Promise<void> {
  return new Promise(resolve => socket.once("close", () => resolve()));
}

/** Libraries connect again after that, which some never do after a CONNACK that refuses. */
async function endedInSilence(device: Socket): Promise<void> {
  const said = vi.fn<() => void>();
  device.on("data", said);
  await ended(device);
  expect(said).not.toHaveBeenCalled();
}

it("closes who does not say who it is, and not before its time", async () => {
  const { clock, open, entry } = await start();
  const silent = await open();
  await clock.advance(9_000);
  await sleep(20);
  expect(entry.size).toBe(1);
  await clock.advance(1_001);
  await ended(silent);
});

it("closes who comes through a proxy that says nothing", async () => {
  const { clock, open } = await start({ behindProxy: true });
  const silent = await open();
  silent.write("PROXY TCP4");
  await clock.advance(5_001);
  await ended(silent);
});

it("turns a device away where the broker says nothing", async () => {
  const { clock, open } = await start({ isMute: true });
  const device = await open();
  device.write(CONNECT);
  await sleep(50);
  const silent = endedInSilence(device);
  await clock.advance(10_001);
  await silent;
});

it("has no more connections than it may", async () => {
  const { open, entry } = await start({ most: 1 });
  await open();
  const second = connect(entry.port, "127.0.0.1").on("error", () => undefined);
  await ended(second);
  expect(entry.size).toBe(1);
});

it("reads a device more slowly that sends more than it may, and loses nothing of it", async () => {
  const { clock, open, messages } = await start();
  const device = await open();
  device.write(CONNECT);
  await once(device, "data");
  device.write(Buffer.concat(Array.from({ length: 30 }, (_, n) => publish(n))));
  await sleep(50);
  device.write(publish(30));
  await sleep(50);
  expect(messages()).toBe(30);
  await clock.advance(2_500);
  await sleep(50);
  expect(messages()).toBe(30);
  await clock.advance(1_500);
  await sleep(50);
  expect(messages()).toBe(31);
});

it("lets nobody in before the schedulers know the gate, nor while it knows no broker", async () => {
  const away = await start({ api: { ...api, place: () => Promise.reject(new Error("away")) } });
  const nowhere = { workspaceId: "acme", serial: 0, broker: "nowhere", isSwitched: false } as const;
  const lost = await start({ api: { ...api, admit: () => Promise.resolve({ versions: [1], brokers: [nowhere] }) } });
  for (const { open } of [away, lost]) {
    const device = await open();
    device.write(CONNECT);
    await endedInSilence(device);
  }
});

it("passes on no more than 100 messages of a device without an answer, and goes on, in order", async () => {
  const { open, messages, ears, devices, order } = await start({ mostPackets: 100_000 });
  const device = await open();
  device.write(CONNECT);
  await once(device, "data");
  const payload = (n: number): string => `<${n}>`;
  const ids = Array.from({ length: 250 }, (_, n) => n + 1);
  device.write(Buffer.concat(ids.map(n => publish(n, { payload: payload(n), qos: 1, messageId: n }))));
  await vi.waitFor(() => expect(messages()).toBe(100), 5_000);
  await sleep(50);
  expect(messages()).toBe(100);
  const topic = "acme/devices/d1/telemetry";
  const answer = (some: readonly number[]): void => {
    const digests = some.map(n => messageDigest(topic, Buffer.from(payload(n)), undefined));
    for (const piece of writeDigests(digests))
      ears[0]!.write(generate({ cmd: "publish", topic: "_skep/stored/acme", payload: piece } as Packet, V5));
    for (const n of some) devices[0]!.write(Buffer.from([0x40, 2, n >> 8, n & 255]));
  };
  answer(ids.slice(0, 90));
  await vi.waitFor(() => expect(messages()).toBe(190), 5_000);
  answer(ids.slice(90, 190));
  await vi.waitFor(() => expect(messages()).toBe(250), 5_000);
  expect(order()).toEqual(ids.map(payload));
});

it.each(["shared", "nowhere"] as const)("lets nobody in who is to be elsewhere once it hears: %s", async broker => {
  const heard = Promise.withResolvers<void>();
  let told: Awaited<ReturnType<GateApi["place"]>> = [];
  const { clock, open, ears, gate } = await start({
    api: { ...api, place: () => Promise.resolve(told) },
    heard: heard.promise,
  });
  const device = await open();
  device.write(CONNECT);
  await vi.waitFor(() => expect(ears).toHaveLength(1));
  told = [{ workspaceId: "acme", serial: broker === "shared" ? 1 : 0, broker, isSwitched: true }];
  await clock.advance(1_000);
  heard.resolve();
  await endedInSilence(device);
  expect(gate.connected).toBe(0);
});

it.each(["the gate hears nothing there any more", "the broker breaks the stream"])(
  "ends a device where %s",
  async because => {
    const { open, ears, devices, gate } = await start();
    const device = await open();
    device.write(CONNECT);
    await once(device, "data");
    expect(gate.connected).toBe(1);
    const ends = ended(device);
    if (because.startsWith("the gate")) ears[0]!.destroy();
    else devices[0]!.write(Buffer.from([0x30, 255, 255, 255, 255, 1]));
    await ends;
    expect(gate.connected).toBe(0);
  },
);

it("has nothing wait for a device that is gone, and goes from a broker where nobody is", async () => {
  const { clock, open, ears, gate } = await start();
  const device = await open();
  device.write(CONNECT);
  await once(device, "data");
  device.write(publish(1, { qos: 1, messageId: 1 }));
  await vi.waitFor(() => expect(gate.waiting).toBe(1));
  device.destroy();
  await vi.waitFor(() => expect(gate.connected).toBe(0));
  expect(gate.waiting).toBe(0);
  expect(ears[0]!.destroyed).toBe(false);
  for (let n = 0; n < 30; n += 5) {
    await clock.advance(5_000);
    await sleep(20);
  }
  await vi.waitFor(() => expect(ears[0]!.destroyed).toBe(true));
});
