import { systemClock } from "@skep/kit/clock.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import type { IPublishPacket, Packet } from "mqtt-packet";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Delivery, Reader, ReaderState } from "./delivery.ts";
import { messageDigest, readDigests } from "../message-digest.ts";
import { openReader } from "./reader.ts";
import { brokerOf } from "./socket.ts";
import { startFakeBroker, well, type Answer } from "./testing/fake-broker.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function broker(answer: Answer) {
  const started = await startFakeBroker(answer);
  open.push(started);
  return started;
}

function read(
  port: number,
  mayRead: () => boolean = () => true,
  clock = systemClock,
  more: { readonly confirms?: string } = {},
) {
  const states: ReaderState[] = [];
  const delivered: Delivery[] = [];
  const reader: Reader = openReader(
    {
      ...{ url: `mqtt://127.0.0.1:${port}`, username: "acme", password: "secret", clientId: "skep-ws-acme" },
      ...{ filters: ["acme/devices/#"], receiveMaximum: 7, sessionExpirySeconds: 60, keepaliveSeconds: 10 },
      ...more,
    },
    { delivered: one => delivered.push(one), changed: state => states.push(state) },
    { clock, random: () => 0, mayRead },
  );
  open.push(reader);
  return { reader, states, delivered };
}

/** A delivery, but for its connection and its number. */
const ONE = {
  ...{ topic: "a", payload: new Uint8Array(), isRepeated: false },
  ...{ senderId: undefined, subscriptionId: 1, digest: "" },
};

describe("a reader", () => {
  it("keeps its session, and says how much it takes at once", async () => {
    const { port, heard } = await broker(well);
    const { reader } = read(port);
    await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
    expect(heard[0]).toMatchObject({
      ...{ cmd: "connect", clientId: "skep-ws-acme", clean: false, username: "acme" },
      properties: { sessionExpiryInterval: 60, receiveMaximum: 7 },
    });
    expect(heard[1]).toMatchObject({ subscriptions: [{ topic: "acme/devices/#", qos: 1, rh: 2 }] });
  });

  it("subscribes by another identifier each time, so that no session's numbers are taken for another's", async () => {
    const { port, heard } = await broker(well);
    for (let times = 1; times <= 2; times += 1) {
      const { reader } = read(port);
      await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
      await reader.close();
    }
    const identifiers = heard.flatMap(one => (one.cmd === "subscribe" ? [one.properties?.subscriptionIdentifier] : []));
    expect(identifiers).toEqual([expect.any(Number), expect.any(Number)]);
    expect(new Set(identifiers).size).toBe(2);
  });

  it("subscribes without one where the broker knows none", async () => {
    const { port, heard } = await broker((packet, say) =>
      packet.cmd === "connect"
        ? say({
            ...{ cmd: "connack", sessionPresent: false, reasonCode: 0 },
            properties: { subscriptionIdentifiersAvailable: false },
          } as Packet)
        : well(packet, say, undefined as never),
    );
    const { reader } = read(port);
    await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
    const subscribe = heard.find(one => one.cmd === "subscribe");
    expect(subscribe?.properties?.subscriptionIdentifier).toBeUndefined();
  });

  it("says that it may not read its topics", async () => {
    const { port } = await broker((packet, say) =>
      packet.cmd === "subscribe"
        ? say({ cmd: "suback", messageId: packet.messageId!, granted: [0x87] })
        : well(packet, say, undefined as never),
    );
    const { states } = read(port);
    await vi.waitFor(() =>
      expect(states[0]).toEqual({
        kind: "away",
        because: "ERROR: MQTT connection failed: CONNACK 5: authentication: the user may not read acme/devices/#",
      }),
    );
  });

  it("reads nothing at QoS 0 that is to be kept", async () => {
    const { port } = await broker((packet, say, socket) =>
      packet.cmd === "subscribe"
        ? say({ cmd: "suback", messageId: packet.messageId!, granted: [0] })
        : well(packet, say, socket),
    );
    const { states } = read(port);
    await vi.waitFor(() => expect(states[0]).toMatchObject({ because: expect.stringContaining("at QoS 0 only") }));
  });

  it("acknowledges what comes before the broker has answered that it is subscribed", async () => {
    const { port, heard } = await broker((packet, say, socket) => {
      if (packet.cmd !== "connect") return;
      well(packet, say, socket);
      say({ cmd: "publish", topic: "a", payload: "1", qos: 1, messageId: 9, dup: true, retain: false });
    });
    const { reader, delivered } = read(port);
    await vi.waitFor(() => expect(delivered).toHaveLength(1));
    reader.acknowledge(delivered);
    await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ cmd: "puback", messageId: 9 }));
  });

  it("connects while it is paused, and reads nothing then", async () => {
    const { port } = await broker((packet, say, socket) => {
      well(packet, say, socket);
      if (packet.cmd === "pingreq")
        say({ cmd: "publish", topic: "b", payload: "2", qos: 0, dup: false, retain: false });
    });
    const clock = createVirtualClock();
    const { reader, delivered, states } = read(port, () => true, clock);
    reader.pause(true);
    await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
    // Nor is a broker given up of which it wants to hear nothing.
    await clock.advance(60_000);
    await systemClock.sleep(100);
    expect([delivered, states.map(one => one.kind)]).toEqual([[], ["connected"]]);
    reader.pause(false);
    await vi.waitFor(() => expect(delivered.length).toBeGreaterThan(0));
    const closing = reader.close();
    await clock.advance(10_000);
    await closing;
  });

  it("asks as often whether somebody is there as the broker wants", async () => {
    const { port, heard } = await broker((packet, say, socket) =>
      packet.cmd === "connect"
        ? say({ cmd: "connack", reasonCode: 0, sessionPresent: false, properties: { serverKeepAlive: 2 } })
        : well(packet, say, socket),
    );
    const clock = createVirtualClock();
    const { reader } = read(port, () => true, clock);
    await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
    await clock.advance(1_000);
    await vi.waitFor(() => expect(heard.filter(one => one.cmd === "pingreq")).toHaveLength(1));
    const closing = reader.close();
    await clock.advance(10_000);
    await closing;
  });

  it.each(["amqp://127.0.0.1", "127.0.0.1:1883", "mqtt://", "mqtts://user:a-secret-word@"])(
    "refuses the address %s at once, and shows no secret",
    url => {
      expect(() => brokerOf({ url })).toThrow(/^ERROR: MQTT connection failed: its address is none/);
      expect(() => brokerOf({ url })).toThrow(/^((?!a-secret-word).)*$/s);
    },
  );

  it("refuses certificates that are none", () => {
    expect(() => brokerOf({ url: "mqtts://127.0.0.1", ca: "none" })).toThrow("give them as PEM");
  });

  it.each([
    [0x86, /CONNACK 5: authentication: it refuses the user name or the password \(0x86\), saying "no"/],
    [0x97, /CONNACK 3: limits reached: a quota is used up/],
    [0xa2, /does not speak MQTT 5 as expected: it gives no reason \(0xa2\)/],
  ])("says why the broker refuses it with 0x%s", async (reasonCode, sentence) => {
    const { port } = await broker((_, say) =>
      say({ cmd: "connack", reasonCode, sessionPresent: false, properties: { reasonString: "no" } }),
    );
    const { states } = read(port);
    await vi.waitFor(() => expect(states[0]).toMatchObject({ kind: "away", because: expect.stringMatching(sentence) }));
    expect(JSON.stringify(states)).not.toContain("secret");
  });

  it("does not connect again where the broker says that another one has the session", async () => {
    const { port, heard } = await broker((packet, say, socket) => {
      well(packet, say, socket);
      if (packet.cmd === "subscribe") say({ cmd: "disconnect", reasonCode: 0x8e });
    });
    const { reader } = read(port);
    await vi.waitFor(() => expect(reader.state().kind).toBe("taken-over"));
    await systemClock.sleep(200);
    expect(heard.filter(one => one.cmd === "connect")).toHaveLength(1);
  });

  it("connects only while it owns what it reads", async () => {
    const { port, heard } = await broker(well);
    let owns = false;
    const { reader } = read(port, () => owns);
    await systemClock.sleep(150);
    expect(heard).toEqual([]);
    owns = true;
    await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
  });

  it("acknowledges in order, and nothing of an older connection or at QoS 0", async () => {
    const { port, heard } = await broker(well);
    const { reader } = read(port);
    await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
    reader.acknowledge([
      { ...ONE, connection: 1, packetId: 3 },
      { ...ONE, connection: 1, packetId: 0 },
      { ...ONE, connection: 0, packetId: 4 },
      { ...ONE, connection: 1, packetId: 2 },
    ]);
    await vi.waitFor(() => expect(heard.filter(packet => packet.cmd === "puback")).toHaveLength(2));
    await systemClock.sleep(50);
    expect(heard.filter(packet => packet.cmd === "puback").map(packet => packet.messageId)).toEqual([3, 2]);
    const isCurrent = (connection: number): boolean => reader.isCurrent({ ...ONE, connection, packetId: 1 });
    expect([isCurrent(0), isCurrent(1)]).toEqual([false, true]);
    await reader.close();
    expect(isCurrent(1)).toBe(false);
  });

  it("tells gates what is stored, before it acknowledges it, and nothing that is not acknowledged", async () => {
    const { port, heard } = await broker(well);
    const { reader } = read(port, () => true, systemClock, { confirms: "acme" });
    await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
    const [first, second] = ["first", "second"].map(topic => messageDigest(topic, ONE.payload, undefined)) as [
      string,
      string,
    ];
    reader.acknowledge([
      { ...ONE, connection: 1, packetId: 3, digest: first },
      { ...ONE, connection: 1, packetId: 0, digest: "at QoS 0" },
      { ...ONE, connection: 0, packetId: 4, digest: "of an older" },
      { ...ONE, connection: 1, packetId: 2, digest: second },
    ]);
    await vi.waitFor(() => expect(heard.filter(packet => packet.cmd === "puback")).toHaveLength(2));
    const told = heard.find(
      packet => packet.cmd === "publish" && packet.topic === "_skep/stored/acme",
    ) as IPublishPacket;
    expect(told.qos).toBe(0);
    expect(readDigests(told.payload as Buffer)).toEqual([first, second]);
    expect(heard.indexOf(told)).toBeLessThan(heard.findIndex(packet => packet.cmd === "puback"));
  });

  it.each([false, true])(
    "tells gates that its session is new where it is: session present %s",
    async sessionPresent => {
      const { port, heard } = await broker((packet, say, socket) =>
        packet.cmd === "connect" ? say({ cmd: "connack", reasonCode: 0, sessionPresent }) : well(packet, say, socket),
      );
      const { reader } = read(port, () => true, systemClock, { confirms: "acme" });
      await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
      const told = heard.flatMap(one => (one.cmd === "publish" ? [one.topic] : [one.cmd]));
      // Behind the SUBSCRIBE: what is published before that is nobody's.
      expect(told).toEqual(["connect", "subscribe", ...(sessionPresent ? [] : ["_skep/begun/acme"])]);
    },
  );

  it("reads nothing while it is paused", async () => {
    const { port } = await broker((packet, say, socket) => {
      well(packet, say, socket);
      if (packet.cmd === "puback") say({ cmd: "publish", topic: "b", payload: "2", qos: 0, dup: false, retain: false });
    });
    const { reader, delivered } = read(port);
    await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
    reader.pause(true);
    reader.acknowledge([{ ...ONE, connection: 1, packetId: 1 }]);
    await systemClock.sleep(100);
    expect(delivered).toEqual([]);
    reader.pause(false);
    await vi.waitFor(() => expect(delivered).toHaveLength(1));
  });

  it("gives up a broker that says nothing for one and a half keepalives", async () => {
    const { port, heard } = await broker(well);
    const clock = createVirtualClock();
    const { reader, states } = read(port, () => true, clock);
    await vi.waitFor(() => expect(reader.state().kind).toBe("connected"));
    await clock.advance(14_999);
    await vi.waitFor(() => expect(heard.filter(one => one.cmd === "pingreq").length).toBeGreaterThanOrEqual(2));
    expect(states.map(one => one.kind)).toEqual(["connected"]);
    await clock.advance(10_000);
    await vi.waitFor(() =>
      expect(states[1]).toMatchObject({ because: expect.stringContaining("has said nothing for") }),
    );
    const closing = reader.close();
    await clock.advance(10_000);
    await closing;
  });

  it("gives up a broker that does not answer its CONNECT", async () => {
    const { port, heard } = await broker(() => undefined);
    const clock = createVirtualClock();
    const { reader, states } = read(port, () => true, clock);
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    await clock.advance(10_000);
    await vi.waitFor(() =>
      expect(states[0]).toMatchObject({ because: expect.stringContaining("no answer within 10000 ms") }),
    );
    const closing = reader.close();
    await clock.advance(10_000);
    await closing;
  });
});
