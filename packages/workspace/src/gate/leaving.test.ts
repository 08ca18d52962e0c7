import { Buffer } from "node:buffer";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { generate, type Packet } from "mqtt-packet";
import { expect, it } from "vitest";
import { createLeaving } from "./leaving.ts";

const publish = (qos: 0 | 1 | 2, messageId = 1): Buffer =>
  generate({ cmd: "publish", topic: "acme/devices/d1/x", payload: "1", qos, messageId, dup: false, retain: false });
const pubrel = (messageId: number): Buffer => generate({ cmd: "pubrel", messageId } as Packet);
const ping = generate({ cmd: "pingreq" });

function start() {
  const clock = createVirtualClock();
  const sent: Buffer[] = [];
  const ended: number[] = [];
  let held = 0;
  let pings = 0;
  const leaving = createLeaving({
    ...{ clock, end: unfinished => void ended.push(unfinished), held: () => held, pings: () => pings },
    ping: () => {
      pings += 1;
      sent.push(ping);
    },
  });
  const ask = (): void => void (pings += 1);
  const pong = (): void => {
    pings -= 1;
    leaving.look();
  };
  const hold = (count: number): void => void (held = count);
  return { clock, sent, ended, leaving, hold, ask, pong };
}

it("ends a connection once the broker has answered all that it took", () => {
  const { sent, ended, leaving, pong } = start();
  leaving.pass(publish(1));
  leaving.begin();
  leaving.look();
  expect([sent.length, ended]).toEqual([1, []]);
  pong();
  leaving.look();
  expect(ended).toEqual([0]);
});

it("waits for what the broker took to be stored, and says what was not", async () => {
  const { clock, ended, leaving, hold, pong } = start();
  hold(2);
  leaving.begin();
  pong();
  expect(ended).toEqual([]);
  hold(0);
  leaving.look();
  expect(ended).toEqual([0]);
  const other = start();
  other.hold(2);
  other.leaving.look();
  other.leaving.begin();
  other.pong();
  await other.clock.advance(5_000);
  expect(other.ended).toEqual([2]);
  await clock.advance(0);
});

it("is not misled by the answer to the device's own ping", () => {
  const { ended, leaving, ask, pong } = start();
  ask();
  leaving.begin();
  pong();
  expect(ended).toEqual([]);
  pong();
  expect(ended).toEqual([0]);
});

it("leaves what comes at QoS 1 and 2 with the device, and passes all else on", () => {
  const { leaving } = start();
  expect([publish(0), publish(1), publish(2)].map(leaving.pass)).toEqual([true, true, true]);
  leaving.begin();
  expect([publish(0), publish(1), publish(2), ping, pubrel(1)].map(leaving.pass)).toEqual([
    ...[true, false, false, true, true],
  ]);
});

it("lets the device finish what it began at QoS 2 before it asks", async () => {
  const { sent, leaving } = start();
  leaving.pass(publish(2, 7));
  leaving.pass(publish(2, 300));
  leaving.pass(pubrel(7));
  leaving.begin();
  await Promise.resolve();
  expect(sent).toEqual([]);
  leaving.pass(pubrel(300));
  // The packet that it was asked about goes first.
  expect(sent).toEqual([]);
  await Promise.resolve();
  expect(sent).toHaveLength(1);
});

it("waits 5 s at most, and says what was left half way", async () => {
  const { clock, ended, leaving } = start();
  leaving.pass(publish(2, 7));
  leaving.begin();
  leaving.begin();
  await clock.advance(4_999);
  expect(ended).toEqual([]);
  await clock.advance(1);
  expect(ended).toEqual([1]);
});

it("ends nothing that has ended by itself", async () => {
  const { clock, ended, leaving, pong } = start();
  leaving.begin();
  leaving.close();
  pong();
  await clock.advance(5_001);
  expect(ended).toEqual([]);
});
