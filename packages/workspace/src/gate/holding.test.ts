import { Buffer } from "node:buffer";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { generate, parser, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { messageDigest } from "../message-digest.ts";
import { createBudget } from "./budget.ts";
import { createHolding } from "./holding.ts";
import type { MqttVersion } from "./inspect.ts";
import { createLastAnswered } from "./last-answered.ts";
import { createUnanswered } from "./unanswered.ts";
import { createWaiting } from "./waiting.ts";

const TOPIC = "acme/devices/d1/telemetry";

const device1 = { workspaceId: "acme", user: "acme/devices/d1" } as const;

function start(
  protocolVersion: MqttVersion = 4,
  waiting = createWaiting(createVirtualClock(), createRecordingLog()),
  unanswered = createUnanswered(createVirtualClock()),
  budget = createBudget(1_000),
) {
  const toDevice: string[] = [];
  const toBroker: string[] = [];
  const lost: string[] = [];
  let answered = 0;
  const said = (packet: Buffer): string => {
    let shown = "";
    const parse = parser({ protocolVersion });
    parse.on("packet", one => (shown = `${one.cmd} ${one.messageId}`));
    parse.parse(packet);
    return shown;
  };
  const holding = createHolding({
    ...{ sender: { ...device1, waiting }, version: protocolVersion, unanswered, budget },
    lastAnswered: createLastAnswered(createVirtualClock()),
    toDevice: packet => void toDevice.push(said(packet)),
    toBroker: packet => void toBroker.push(said(packet)),
    lost: because => void lost.push(because),
    answered: () => void (answered += 1),
  });
  const bytes = (packet: object): Buffer => generate(packet as Packet, { protocolVersion });
  const device = (packet: object): boolean => holding.fromDevice(bytes(packet));
  const broker = (cmd: string, messageId: number, more = {}): boolean =>
    holding.fromBroker(bytes({ cmd, messageId, ...more }));
  const publish = (messageId: number, payload: string, more: object = {}): boolean =>
    device({ cmd: "publish", topic: TOPIC, payload, qos: 1, messageId, dup: false, retain: false, ...more });
  const fits = (messageId: number, more: object = {}): boolean =>
    holding.fits(
      bytes({
        ...{ cmd: "publish", topic: TOPIC, payload: "x", qos: 1, dup: false, retain: false },
        messageId,
        ...more,
      }),
    );
  const store = (payload: string, id?: string): void =>
    waiting.stored("acme", [messageDigest(TOPIC, Buffer.from(payload), id)]);
  /** The device comes back by another connection. */
  const again = () => start(protocolVersion, waiting, unanswered, budget);
  return {
    again,
    waiting,
    toDevice,
    toBroker,
    lost,
    holding,
    device,
    broker,
    publish,
    fits,
    budget,
    store,
    answered: () => answered,
  };
}

describe.each([3, 4, 5] as const)("what a device of version %i publishes", version => {
  it("at QoS 1 is acknowledged once the broker has it and a host has stored it, whichever comes last", () => {
    const { publish, broker, store, toDevice, holding, waiting, answered } = start(version);
    expect([publish(1, "a"), publish(2, "b")]).toEqual([true, true]);
    expect([broker("puback", 1), toDevice]).toEqual([false, []]);
    store("b");
    expect([toDevice, holding.size]).toEqual([[], 2]);
    store("a");
    expect(toDevice).toEqual(["puback 1"]);
    expect(broker("puback", 2)).toBe(false);
    expect(toDevice).toEqual(["puback 1", "puback 2"]);
    expect([holding.size, waiting.size, answered()]).toEqual([0, 0, 2]);
  });

  it("at QoS 2 is received once it is stored; the gate releases it at the broker before", () => {
    const { publish, device, broker, store, toDevice, toBroker, holding } = start(version);
    expect(publish(7, "a", { qos: 2 })).toBe(true);
    expect([broker("pubrec", 7), toDevice, toBroker]).toEqual([false, [], ["pubrel 7"]]);
    store("a");
    expect(toDevice).toEqual([]);
    expect(broker("pubcomp", 7)).toBe(false);
    expect([toDevice, holding.size]).toEqual([["pubrec 7"], 0]);
    expect(device({ cmd: "pubrel", messageId: 7 })).toBe(false);
    expect(toDevice).toEqual(["pubrec 7", "pubcomp 7"]);
    // It is free again.
    expect(publish(7, "b", { qos: 2 })).toBe(true);
  });

  it("goes on at QoS 0, as all else does", () => {
    const { publish, device, broker, waiting } = start(version);
    expect(publish(0, "a", { qos: 0 })).toBe(true);
    expect(device({ cmd: "pingreq" })).toBe(true);
    expect(broker("suback", 1, { granted: [0] })).toBe(true);
    expect(broker("pubrel", 1)).toBe(true);
    expect(waiting.size).toBe(0);
  });
});

it("is known by the id that its sender gives", () => {
  const { publish, broker, store, toDevice } = start(5);
  publish(1, "a", { properties: { userProperties: { id: "x" } } });
  broker("puback", 1);
  store("a");
  store("a", "y");
  expect(toDevice).toEqual([]);
  store("a", "x");
  expect(toDevice).toEqual(["puback 1"]);
});

it.each([
  [1, "puback"],
  [2, "pubrec"],
])("goes to the device at once where the broker refuses it, at QoS %i", (qos, cmd) => {
  const { publish, broker, holding, waiting, answered } = start(5);
  publish(1, "a", { qos });
  expect(broker(cmd, 1, { reasonCode: 0x97 })).toBe(true);
  expect([holding.size, waiting.size, answered()]).toEqual([0, 0, 1]);
});

it("is not acknowledged where the broker says that nobody reads", () => {
  const { publish, broker, holding, toDevice, store } = start(5);
  publish(1, "a");
  expect(broker("puback", 1, { reasonCode: 0x10 })).toBe(false);
  expect([toDevice, holding.size]).toEqual([[], 1]);
  store("a");
  expect(toDevice).toEqual(["puback 1"]);
});

it("is not passed on twice while it is under way, and is once it was answered", () => {
  const { publish, broker, store, toDevice } = start();
  publish(1, "a");
  expect(publish(1, "a", { dup: true })).toBe(false);
  expect(() => publish(1, "b", { dup: true })).toThrow("used the packet id 1 again");
  broker("puback", 1);
  store("a");
  expect(toDevice).toEqual(["puback 1"]);
  expect(publish(1, "a", { dup: true })).toBe(true);
});

it("waits while another one has its number, which can be answered once only", () => {
  const { publish, fits, broker, store } = start();
  publish(1, "a");
  expect([fits(1), fits(1, { dup: true }), fits(2), fits(0, { qos: 0 })]).toEqual([false, true, true, true]);
  // Those are ended, and do not wait.
  expect(fits(1, { qos: 2 })).toBe(true);
  broker("puback", 1);
  expect(fits(1)).toBe(false);
  store("a");
  expect(fits(1)).toBe(true);
});

it("waits where 100 of the device have no answer, or 4 of it while all together have too many", () => {
  const { publish, fits, holding } = start();
  for (let n = 1; n <= 99; n++) publish(n, `${n}`);
  expect(fits(100)).toBe(true);
  publish(100, "100");
  expect([fits(101), fits(0, { qos: 0 }), holding.fits(Buffer.from([0xc0, 0]))]).toEqual([false, true, true]);
  const budget = createBudget(5);
  const [one, other] = [start(4, undefined, undefined, budget), start(5, undefined, undefined, budget)];
  for (let n = 1; n <= 4; n++) one.publish(n, `${n}`);
  expect(one.fits(5)).toBe(true);
  one.publish(5, "5");
  for (let n = 1; n <= 4; n++) expect([other.fits(n), other.publish(n, `${n}`)]).toEqual([true, true]);
  expect([one.fits(6), other.fits(5)]).toEqual([false, false]);
  one.holding.close();
  expect([other.fits(5), budget.isSpent]).toEqual([true, false]);
  for (let n = 1; n <= 4; n++) {
    other.broker("puback", n);
    other.store(`${n}`);
  }
  expect(other.holding.size).toBe(0);
  for (let n = 0; n < 5; n++) expect([budget.isSpent, budget.spend()]).toEqual([false, undefined]);
});

it("of QoS 2 is received again where the device has not heard it", () => {
  const { publish, broker, store, toDevice } = start();
  publish(1, "a", { qos: 2 });
  expect(publish(1, "a", { qos: 2, dup: true })).toBe(false);
  broker("pubrec", 1);
  broker("pubcomp", 1);
  store("a");
  expect(publish(1, "a", { qos: 2, dup: true })).toBe(false);
  expect(toDevice).toEqual(["pubrec 1", "pubrec 1"]);
  // Marked as repeated, and nobody has stored it.
  expect(publish(1, "b", { qos: 2, dup: true })).toBe(true);
  expect(toDevice).toEqual(["pubrec 1", "pubrec 1"]);
});

it("ends a device that releases nothing of 10,000 messages of QoS 2", () => {
  const { publish, broker, store } = start();
  for (let n = 1; n <= 10_000; n++) {
    publish(n, "a", { qos: 2 });
    broker("pubrec", n);
    broker("pubcomp", n);
    store("a");
  }
  expect(() => publish(10_001, "a", { qos: 2 })).toThrow("has not released 10000 messages");
});

it("of QoS 2 is not called done by the release of another one that had its number", () => {
  const { publish, device, broker, store, toDevice } = start();
  publish(1, "a", { qos: 2 });
  broker("pubrec", 1);
  broker("pubcomp", 1);
  store("a");
  publish(1, "b", { qos: 2 });
  expect(() => device({ cmd: "pubrel", messageId: 1 })).toThrow("released the message 1 before it was received");
  expect(toDevice).toEqual(["pubrec 1"]);
});

it("is not acknowledged by an answer to another QoS", () => {
  const { publish, broker, store, toDevice, toBroker } = start();
  publish(1, "a", { qos: 2 });
  publish(2, "b");
  store("a");
  store("b");
  expect([broker("puback", 1), broker("pubrec", 2), broker("pubcomp", 2)]).toEqual([false, false, true]);
  expect([toDevice, toBroker]).toEqual([[], []]);
});

it("passes on what belongs to an earlier connection, but no PUBREC: the device sends that again", () => {
  const { device, broker, toBroker } = start();
  expect(device({ cmd: "pubrel", messageId: 9 })).toBe(true);
  expect(broker("pubcomp", 9)).toBe(true);
  expect([broker("pubrec", 8), broker("puback", 8), toBroker]).toEqual([false, false, []]);
});

it("ends a device that uses a packet id of QoS 2 before it is free, or releases what was not received", () => {
  const { publish, device } = start();
  publish(1, "a", { qos: 2 });
  expect(() => publish(1, "b", { qos: 2 })).toThrow("used the packet id 1 again");
  expect(() => publish(1, "b")).toThrow("used the packet id 1 again");
  publish(2, "a");
  expect(() => publish(2, "b", { qos: 2 })).toThrow("used the packet id 2 again");
  expect(() => device({ cmd: "pubrel", messageId: 1 })).toThrow("released the message 1 before it was received");
});

it("waits for nothing once it is closed, and hears what is lost", () => {
  const { publish, broker, holding, waiting, lost, toDevice, store } = start();
  publish(1, "a");
  waiting.begun("acme");
  expect(lost).toEqual(["nobody read its workspace when the broker took it"]);
  publish(2, "b");
  holding.close();
  expect([holding.size, waiting.size]).toEqual([0, 0]);
  store("b");
  expect(toDevice).toEqual([]);
  // Nobody would take it out again, and it would have what is told of its repetition.
  expect([publish(3, "c"), broker("suback", 1, { granted: [0] })]).toEqual([false, false]);
  expect([holding.size, waiting.size]).toEqual([0, 0]);
});

it("of QoS 2 is not called done by what the broker says of an earlier one that had its number", () => {
  const { publish, broker, store, toDevice, holding } = start();
  publish(5, "a", { qos: 2 });
  store("a");
  expect(broker("pubcomp", 5)).toBe(true);
  expect([toDevice, holding.size]).toEqual([[], 1]);
  broker("pubrec", 5);
  broker("pubcomp", 5);
  expect(toDevice).toEqual(["pubrec 5"]);
});

describe.each([1, 2] as const)("what a broker has of QoS %i when the connection of its device ends", qos => {
  const cmd = qos === 1 ? "puback" : "pubrec";
  const give = (one: ReturnType<typeof start>, messageId: number, payload: string): void => {
    one.publish(messageId, payload, { qos });
    one.broker(cmd, messageId);
    if (qos === 2) one.broker("pubcomp", messageId);
  };

  it("is not passed on again, and is answered once it is stored, or at once where it was meanwhile", () => {
    const first = start();
    give(first, 1, "a");
    give(first, 2, "b");
    first.holding.close();
    first.store("a");
    const second = first.again();
    expect(second.publish(1, "a", { qos, dup: true })).toBe(false);
    expect(second.publish(2, "b", { qos, dup: true })).toBe(false);
    expect([second.toDevice, second.holding.size, first.toDevice]).toEqual([[`${cmd} 1`], 1, []]);
    second.store("b");
    expect([second.toDevice, second.waiting.size]).toEqual([[`${cmd} 1`, `${cmd} 2`], 0]);
  });

  it("is not passed on again where the answer was on its way, and is answered again", () => {
    const first = start();
    give(first, 1, "a");
    first.store("a");
    first.holding.close();
    const second = first.again();
    expect(second.publish(1, "a", { qos, dup: true })).toBe(false);
    expect([first.toDevice, second.toDevice, second.holding.size]).toEqual([[`${cmd} 1`], [`${cmd} 1`], 0]);
    second.holding.close();
    expect(second.again().publish(1, "a", { qos, dup: true })).toBe(false);
  });

  it("is what waits, and not what was answered before, where both had one number", () => {
    const first = start();
    give(first, 1, "a");
    first.store("a");
    if (qos === 2) first.device({ cmd: "pubrel", messageId: 1 });
    give(first, 1, "b");
    first.holding.close();
    const second = first.again();
    expect([second.publish(1, "b", { qos, dup: true }), second.toDevice]).toEqual([false, []]);
  });

  it("survives the end of more than one connection", () => {
    const first = start();
    give(first, 1, "a");
    first.holding.close();
    const second = first.again();
    second.publish(1, "a", { qos, dup: true });
    second.holding.close();
    const third = second.again();
    expect(third.publish(1, "a", { qos, dup: true })).toBe(false);
    third.store("a");
    expect([first.toDevice, second.toDevice, third.toDevice]).toEqual([[], [], [`${cmd} 1`]]);
  });

  it("is passed on again where it was lost, and nobody is ended for it who did not send it again", () => {
    const first = start();
    give(first, 1, "a");
    first.holding.close();
    const second = first.again();
    second.waiting.begun("acme");
    expect([second.publish(1, "a", { qos, dup: true }), second.lost]).toEqual([true, []]);
    const other = start();
    give(other, 1, "a");
    other.holding.close();
    const back = other.again();
    back.publish(1, "a", { qos, dup: true });
    back.waiting.begun("acme");
    expect(back.lost).toHaveLength(1);
    back.holding.close();
    expect(back.again().publish(1, "a", { qos, dup: true })).toBe(true);
  });
});

it("is passed on again where the broker had not acknowledged it", () => {
  const first = start();
  first.publish(1, "a");
  first.publish(2, "b", { qos: 2 });
  first.broker("pubrec", 2);
  first.holding.close();
  const second = first.again();
  expect(second.publish(1, "a", { dup: true })).toBe(true);
  expect(second.publish(2, "b", { qos: 2, dup: true })).toBe(true);
});

it("is another one that is not marked, though what was answered before the end was the same", () => {
  const first = start();
  first.publish(1, "on");
  first.broker("puback", 1);
  first.store("on");
  first.holding.close();
  expect(first.again().publish(1, "on")).toBe(true);
});

it("is another one of a device that has left, though it was answered before", () => {
  const first = start();
  first.publish(1, "a");
  first.broker("puback", 1);
  first.store("a");
  first.device({ cmd: "disconnect" });
  first.holding.close();
  expect(first.again().publish(1, "a", { dup: true })).toBe(true);
});

it("is passed on again by a device that has left, and did not only lose its connection", () => {
  const first = start();
  first.publish(1, "a");
  first.broker("puback", 1);
  first.device({ cmd: "disconnect" });
  first.holding.close();
  expect(first.waiting.size).toBe(0);
  expect(first.again().publish(1, "a", { dup: true })).toBe(true);
});
