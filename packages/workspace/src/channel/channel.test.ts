import { systemClock } from "@skep/kit/clock.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openChannel } from "./channel.ts";
import type { Delivery } from "./delivery.ts";
import { startFakeBroker, well, type Answer } from "./testing/fake-broker.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function channelTo(answer: Answer, mayRead = (): boolean => true, clock = systemClock) {
  const broker = await startFakeBroker(answer);
  open.push(broker);
  let released = 0;
  const opening = openChannel({
    ...{ workspaceId: "acme", url: `mqtt://127.0.0.1:${broker.port}`, username: "", password: "", batch: 2 },
    publisher: { publish: async () => undefined, isConnected: () => true, lastError: () => "" },
    release: async () => void (released += 1),
    ...{ mayRead, clock, random: () => 0 },
  });
  return { broker, opening, released: () => released };
}

const publish = (say: Parameters<Answer>[1], payload: string, messageId?: number): void =>
  say({
    ...{ cmd: "publish", topic: "acme/devices/d/t/x", payload, dup: false, retain: false },
    ...(messageId === undefined ? { qos: 0 as const } : { qos: 1 as const, messageId }),
  });

describe("a channel that nobody has begun", () => {
  it("keeps what comes at QoS 1 before it is subscribed, and of QoS 0 so much; the rest is counted", async () => {
    const { opening } = await channelTo((packet, say, socket) => {
      if (packet.cmd === "subscribe") {
        for (let at = 0; at < 10; at += 1) publish(say, `zero ${at}`);
        publish(say, "one", 7);
      }
      well(packet, say, socket);
    });
    const channel = await opening;
    open.push(channel);
    expect(channel.counts()["lostEarly"]).toBe(6);
    const delivered: Delivery[] = [];
    channel.begin(one => delivered.push(one));
    expect(delivered.map(({ payload }) => String(payload))).toEqual(["zero 0", "zero 1", "zero 2", "zero 3", "one"]);
  });

  it("leaves at the broker what comes once it is subscribed, until somebody takes it", async () => {
    const { opening, broker } = await channelTo((packet, say, socket) => {
      well(packet, say, socket);
      if (packet.cmd === "subscribe") setTimeout(() => publish(say, "later"), 20);
    });
    const channel = await opening;
    open.push(channel);
    await systemClock.sleep(100);
    const delivered: Delivery[] = [];
    channel.begin(one => delivered.push(one));
    expect(delivered).toEqual([]);
    await vi.waitFor(() => expect(delivered).toHaveLength(1));
    // The third tells gates that the session is new.
    expect(broker.heard.map(one => one.cmd)).toEqual(["connect", "subscribe", "publish"]);
  });
});

describe("a channel that is opened", () => {
  it("gives up where the workspace does not become its own, and lets go of what it holds", async () => {
    const clock = createVirtualClock();
    const { opening, broker, released } = await channelTo(well, () => false, clock);
    const failed = expect(opening).rejects.toThrow("was not the owner of the workspace for 15 s");
    await clock.advance(15_000);
    await clock.advance(1_000);
    await failed;
    expect([broker.heard, released()]).toEqual([[], 1]);
  });
});
