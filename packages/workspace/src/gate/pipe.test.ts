import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { generate, type Packet } from "mqtt-packet";
import { expect, it } from "vitest";
import { messageDigest } from "../message-digest.ts";
import { createBudget } from "./budget.ts";
import type { Application } from "./connect-packet.ts";
import type { MqttVersion } from "./inspect.ts";
import { join, type Pipe } from "./pipe.ts";
import { createUnanswered } from "./unanswered.ts";
import { createWaiting } from "./waiting.ts";

const TOPIC = "acme/devices/d1/n";
const PING = Buffer.from([0xc0, 0]);
const PONG = Buffer.from([0xd0, 0]);

/** What one of both sides was told. One that does not take it does so from `take` on. */
function side(isTaking: boolean) {
  const all: Buffer[] = [];
  let waiting: (() => void) | undefined;
  const write = (chunk: Buffer, _: unknown, done: () => void): void => {
    all.push(chunk);
    if (isTaking) done();
    else waiting = done;
  };
  const take = (): void => {
    isTaking = true;
    waiting?.();
  };
  return { said: () => Buffer.concat(all), take, stream: new Duplex({ read: () => undefined, write }) };
}

function start(version: MqttVersion = 4, { isReading = true, isTaking = true, budget = createBudget(1_000) } = {}) {
  const clock = createVirtualClock();
  const log = createRecordingLog();
  const waiting = createWaiting(clock, log);
  const [device, broker] = [side(isReading), side(isTaking)];
  let pipe: Pipe | undefined;
  let isEnded = false;
  const asked = { device: { workspaceId: "acme", deviceId: "d1" }, version, packet: { keepalive: 40 } } as Application;
  // As the connection does: the device itself is there for a moment yet.
  const end = (): void => {
    isEnded = true;
    pipe?.close();
  };
  pipe = join(
    { device: device.stream, broker: broker.stream as Socket, asked, waiting, end },
    {
      settings: { mostBytes: 65_536, mostPackets: 1_000_000 },
      roll: { denied: () => undefined },
      ...{ unanswered: createUnanswered(clock), budget, clock, log },
    },
  );
  const publish = (messageId: number, more: object = {}): Buffer =>
    generate(
      {
        ...{ cmd: "publish", topic: TOPIC, payload: `${messageId}`, qos: 1, dup: false },
        messageId,
        ...more,
      } as Packet,
      { protocolVersion: version },
    );
  const push = async (...packets: readonly Buffer[]): Promise<void> => {
    device.stream.push(Buffer.concat(packets));
    await sleep(5);
  };
  const store = (...ids: readonly number[]): void => {
    for (const id of ids) pipe.fromBroker(Buffer.from([0x40, 2, id >> 8, id & 255]));
    waiting.stored(
      "acme",
      ids.map(id => messageDigest(TOPIC, Buffer.from(`${id}`), undefined)),
    );
  };
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);
  const pings = (): number => broker.said().toString("latin1").split(PING.toString("latin1")).length - 1;
  return { clock, waiting, device, broker, pipe, publish, push, store, range, pings, isEnded: () => isEnded };
}

it("takes nothing of a device whose connection has ended, though it is there for a moment yet", async () => {
  const { waiting, device, publish, push, isEnded } = start();
  await push(publish(1));
  expect(waiting.size).toBe(1);
  waiting.begun("acme");
  expect(device.stream.listenerCount("data")).toBe(0);
  await push(publish(2));
  expect([isEnded(), waiting.size]).toEqual([true, 0]);
});

it("takes nothing behind a packet that ends the connection", async () => {
  const { waiting, publish, push, isEnded } = start();
  await push(Buffer.from([0xf0, 0]), publish(1), publish(2));
  expect([isEnded(), waiting.size]).toEqual([true, 0]);
});

it.each([4, 5] as const)(
  "hears the pings of a device of version %i that has as many on their way as it may",
  async version => {
    const { waiting, device, publish, push, range, pings } = start(version);
    await push(...range(1, 101).map(id => publish(id)));
    expect([waiting.size, device.stream.isPaused()]).toEqual([100, false]);
    await push(PING);
    expect(pings()).toBe(1);
  },
);

it("holds no more of one piece than it may, and goes on with the rest", async () => {
  const { waiting, device, publish, push, store, range } = start();
  await push(...range(1, 2_001).map(id => publish(id)));
  expect([waiting.size, device.stream.isPaused()]).toEqual([100, true]);
  for (let from = 1; from <= 2_000; from += 50) {
    store(...range(from, from + 50));
    await Promise.resolve();
    expect(waiting.size).toBe(Math.min(100, 1_950 - from + 1));
  }
  expect(device.stream.isPaused()).toBe(false);
});

it("takes one message of a number after the other, in a time that does not grow with them", async () => {
  const { waiting, device, publish, push, pipe, range } = start();
  await push(...range(0, 2_000).map(() => publish(7)));
  const digest = messageDigest(TOPIC, Buffer.from("7"), undefined);
  for (let n = 0; n < 2_000; n++) {
    expect(waiting.size).toBe(1);
    pipe.fromBroker(Buffer.from([0x40, 2, 0, 7]));
    waiting.stored("acme", [digest]);
    await Promise.resolve();
  }
  expect([waiting.size, device.said().length]).toEqual([0, 8_000]);
});

it("pings for a device that it does not read, and keeps the answers to itself", async () => {
  const { clock, device, pipe, publish, push, store, range, pings } = start();
  await push(PING, ...range(1, 102).map(id => publish(id)), PING);
  expect(pings()).toBe(1);
  await clock.advance(30_000);
  expect(pings()).toBe(4);
  pipe.fromBroker(PONG);
  expect(device.said()).toEqual(PONG);
  for (let n = 0; n < 3; n++) pipe.fromBroker(PONG);
  expect(device.said()).toEqual(PONG);
  store(1);
  await sleep(5);
  expect(pings()).toBe(5);
  pipe.fromBroker(PONG);
  expect(device.said()).toEqual(Buffer.concat([PONG, Buffer.from([0x40, 2, 0, 1]), PONG]));
  await clock.advance(60_000);
  expect(pings()).toBe(5);
});

it("takes one packet of a device up again where another one made room for it", async () => {
  const budget = createBudget(10);
  const [one, gone, other] = [start(4, { budget }), start(4, { budget }), start(4, { budget })];
  await one.push(...one.range(1, 11).map(id => one.publish(id)));
  await gone.push(...gone.range(1, 21).map(id => gone.publish(id)));
  await other.push(...other.range(1, 21).map(id => other.publish(id)));
  gone.pipe.close();
  expect([one.waiting.size, other.waiting.size]).toEqual([10, 4]);
  for (let id = 1; id <= 5; id++) one.store(id);
  await Promise.resolve();
  expect([one.waiting.size, other.waiting.size]).toEqual([5, 5]);
  one.pipe.close();
  await Promise.resolve();
  expect(other.waiting.size).toBe(10);
});

it("reads a device no further that reads no answers", async () => {
  const { device, publish, push } = start(4, { isReading: false });
  const denied = publish(1, { topic: "other/devices/d1/n" });
  for (let n = 0; n < 30; n++) await push(...Array.from({ length: 2_000 }, () => denied));
  expect(device.stream.isPaused()).toBe(true);
  expect(device.stream.writableLength).toBeLessThan(2 * device.stream.writableHighWaterMark);
  device.take();
  await sleep(20);
  expect([device.stream.isPaused(), device.said().length]).toEqual([false, 30 * 2_000 * 4]);
});

it("reads a device that does not read what others send to it", async () => {
  const { device, pipe, broker, publish, push } = start(4, { isReading: false });
  const command = generate({
    cmd: "publish",
    topic: "acme/devices/d1/commands/x",
    payload: "x".repeat(100_000),
    qos: 0,
  } as Packet);
  pipe.fromBroker(command);
  expect(device.stream.writableNeedDrain).toBe(true);
  await push(publish(1));
  expect([device.stream.isPaused(), broker.said()]).toEqual([false, publish(1)]);
});

it("reads a device no further while the broker takes nothing", async () => {
  const { device, broker, publish, push } = start(4, { isTaking: false });
  for (let n = 0; n < 5; n++) await push(publish(0, { qos: 0, payload: "x".repeat(20_000) }));
  expect([device.stream.isPaused(), broker.stream.writableNeedDrain]).toEqual([true, true]);
});

it("pings for nobody whose connection has ended", async () => {
  const { clock, pipe, publish, push, range, pings } = start();
  await push(...range(1, 102).map(id => publish(id)));
  pipe.close();
  await clock.advance(60_000);
  expect(pings()).toBe(0);
});

it("has a device that goes elsewhere finish what does not wait, and goes once all is answered", async () => {
  const { broker, pipe, publish, push, store, range, isEnded } = start();
  await push(...range(1, 120).map(id => publish(id)), publish(0, { qos: 0, payload: "the last" }));
  expect(broker.said().includes("the last")).toBe(false);
  pipe.move();
  await Promise.resolve();
  expect(broker.said().includes("the last")).toBe(true);
  store(...range(1, 101));
  expect(isEnded()).toBe(false);
  pipe.fromBroker(PONG);
  expect(isEnded()).toBe(true);
});
