import { systemClock, type Clock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { generate } from "mqtt-packet";
import type { Socket } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { startFakeBroker, type Answer } from "../channel/testing/fake-broker.ts";
import { messageDigest, writeDigests } from "../message-digest.ts";
import type { Broker } from "./brokers.ts";
import { createEars } from "./ears.ts";

const grant: Answer = (packet, say) => {
  if (packet.cmd === "connect") say({ cmd: "connack", reasonCode: 0, sessionPresent: false });
  if (packet.cmd === "subscribe") say({ cmd: "suback", messageId: packet.messageId!, granted: [1, 1] });
  if (packet.cmd === "pingreq") say({ cmd: "pingresp" });
};

async function start(answer: Answer = grant, clock: Clock = systemClock) {
  const sockets = new Set<Socket>();
  const broker = await startFakeBroker((packet, say, socket) => {
    sockets.add(socket);
    answer(packet, say, socket);
  });
  const log = createRecordingLog();
  const ears = createEars({ gateId: "g1", clock, log });
  onTestFinished(async () => {
    ears.close();
    await broker.close();
  });
  const login = { username: "gate", password: "a secret word" };
  const where: Broker = { host: "127.0.0.1", port: broker.port, login };
  const tell = (topic: string, payload: Buffer): void => {
    const packet = { cmd: "publish", topic, payload, qos: 0, dup: false, retain: false } as const;
    for (const socket of sockets) socket.write(generate(packet, { protocolVersion: 5 }));
  };
  return { broker, sockets, ears, log, where, tell };
}

it("hears by one connection at a broker, whose session is gone with it", async () => {
  const { broker, ears, where } = await start();
  const [one, other] = await Promise.all([ears.at(where), ears.at({ ...where })]);
  expect(one).toBe(other);
  expect(await ears.at(where)).toBe(one);
  expect(broker.heard.map(packet => packet.cmd)).toEqual(["connect", "subscribe"]);
  expect(broker.heard[0]).toMatchObject({
    ...{ clientId: "skep-gate-g1", username: "gate", properties: { sessionExpiryInterval: 0 } },
  });
  expect(broker.heard[1]).toMatchObject({ subscriptions: [{ topic: "_skep/stored/+" }, { topic: "_skep/begun/+" }] });
});

it("tells who waits what is stored, and that a session has begun", async () => {
  const { ears, where, tell } = await start();
  const { waiting } = (await ears.at(where))!;
  const did: string[] = [];
  const digests = ["a", "b"].map(name => messageDigest(name, Buffer.from(""), undefined));
  for (const digest of digests)
    waiting.add({ workspaceId: "acme", digest, stored: () => did.push("stored"), lost: () => did.push("lost") });
  expect(ears.waiting).toBe(2);
  tell("_skep/stored/other", writeDigests(digests)[0]!);
  tell("acme/devices/d1/telemetry", writeDigests(digests)[0]!);
  tell("_skep/stored/acme", writeDigests(digests)[0]!.subarray(0, 12));
  tell("_skep/begun/acme", Buffer.alloc(0));
  await vi.waitFor(() => expect(did).toEqual(["stored", "lost"]));
});

it("ends who is at the broker when it hears nothing any more, and hears again by a new connection", async () => {
  const { broker, ears, where, sockets } = await start();
  const ended: string[] = [];
  const ear = await ears.at(where);
  const of = { workspaceId: "acme", digest: "a", stored: () => undefined };
  ear?.waiting.add({ ...of, lost: because => ended.push(because) });
  ear?.enter(() => ended.push("here"));
  ear?.enter(() => ended.push("gone"))();
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(() => expect(ended).toEqual(["nothing is heard any more of what its broker has", "here"]));
  expect(await ears.at(where)).not.toBe(ear);
  expect(broker.heard.filter(packet => packet.cmd === "connect")).toHaveLength(2);
});

it("ends who enters an ear that ended as it began to hear", async () => {
  const { ears, where } = await start((packet, say, socket) => {
    if (packet.cmd !== "subscribe") return grant(packet, say, socket);
    const granted = generate({ cmd: "suback", messageId: packet.messageId!, granted: [1, 1] }, { protocolVersion: 5 });
    socket.write(Buffer.concat([granted, Buffer.from([0xe0, 0])]));
  });
  const ear = await ears.at(where);
  const ended = Promise.withResolvers<string>();
  ear?.enter(() => ended.resolve("ended"));
  expect(ear === undefined ? "not entered" : await ended.promise).toMatch("ended");
  expect(await ears.at(where)).not.toBe(ear);
});

it.each<[string, Answer]>([
  ["does not let it in", (_, say) => say({ cmd: "connack", reasonCode: 0x87, sessionPresent: false })],
  [
    "does not let it hear",
    (packet, say, socket) =>
      packet.cmd === "subscribe"
        ? say({ cmd: "suback", messageId: packet.messageId!, granted: [1, 0x87] })
        : grant(packet, say, socket),
  ],
])("says once that nothing is heard where the broker %s, and once that it is again", async (_, answer) => {
  let isRefusing = true;
  const { ears, log, where } = await start((...all) => (isRefusing ? answer(...all) : grant(...all)));
  expect([await ears.at(where), await ears.at(where)]).toEqual([undefined, undefined]);
  isRefusing = false;
  expect(await ears.at(where)).toBeDefined();
  expect(log.lines.map(one => one.event)).toEqual(["gate.deaf", "gate.hears"]);
  expect(JSON.stringify(log.lines)).not.toContain("secret word");
});

it("gives up a broker that does not answer, and goes where nobody has been for 30 s", async () => {
  const clock = createVirtualClock();
  let isMute = true;
  const { broker, sockets, ears, where } = await start((...all) => void (isMute || grant(...all)), clock);
  const deaf = ears.at(where);
  await vi.waitFor(() => expect(broker.heard).toHaveLength(1));
  await clock.advance(10_001);
  expect(await deaf).toBeUndefined();
  isMute = false;
  const ear = await ears.at(where);
  const pass = async (seconds: number): Promise<void> => {
    for (let n = 0; n < seconds; n += 5) {
      await clock.advance(5_000);
      // Its pings are answered in real time.
      await systemClock.sleep(20);
    }
  };
  await pass(25);
  const [leave, stay] = [ear!.enter(() => undefined), ear!.enter(() => undefined)];
  leave();
  await pass(35);
  expect(await ears.at(where)).toBe(ear);
  stay();
  await pass(25);
  ear!.enter(() => undefined)();
  await pass(25);
  expect(await ears.at(where)).toBe(ear);
  await pass(5);
  await vi.waitFor(() => expect([...sockets].every(one => one.destroyed)).toBe(true));
  expect(broker.heard.filter(packet => packet.cmd === "connect")).toHaveLength(2);
});

it("goes where whoever it was opened for is gone, but not while something waits", async () => {
  const clock = createVirtualClock();
  const { sockets, ears, where } = await start(grant, clock);
  const { waiting } = (await ears.at(where))!;
  const one = { workspaceId: "acme", digest: "a", stored: () => undefined, lost: () => undefined };
  waiting.add(one);
  const pass = async (): Promise<void> => {
    for (let n = 0; n < 30; n += 5) {
      await clock.advance(5_000);
      await systemClock.sleep(20);
    }
  };
  await pass();
  expect([...sockets].map(each => each.destroyed)).toEqual([false]);
  waiting.remove(one);
  await pass();
  await vi.waitFor(() => expect([...sockets].every(one => one.destroyed)).toBe(true));
});
