import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { Message } from "./held-message.ts";
import { createUnanswered, type Sent } from "./unanswered.ts";
import { createWaiting } from "./waiting.ts";

function start(most?: number) {
  const clock = createVirtualClock();
  const waiting = createWaiting(clock, createRecordingLog());
  const unanswered = createUnanswered(clock, most);
  const keep = (user: string, packetId: number, digest = "a"): Message => {
    const owner = { stored: () => expect.unreachable(), lost: () => expect.unreachable() };
    const one = new Message({ workspaceId: "acme", user, waiting }, owner, { digest, packetId, qos: 1 });
    one.isAcknowledged = true;
    waiting.add(one);
    unanswered.keep([one]);
    return one;
  };
  const sent = (user: string, packetId: number, more: Partial<Sent> = {}): Sent => {
    return { user, packetId, digest: "a", qos: 1, isRepeated: true, ...more };
  };
  return { clock, waiting, unanswered, keep, sent };
}

it("gives out what the same device sends again, once", () => {
  const { unanswered, keep, sent } = start();
  const one = keep("d1", 1);
  expect(unanswered.take(sent("d2", 1))).toBeUndefined();
  expect(unanswered.take(sent("d1", 2))).toBeUndefined();
  expect(unanswered.take(sent("d1", 1))).toBe(one);
  expect(unanswered.take(sent("d1", 1))).toBeUndefined();
});

it.each<[string, Partial<Sent>]>([
  ["has another content", { digest: "b" }],
  ["has another QoS", { qos: 2 }],
])("gives out nothing for what %s, and the number is the device's", (_, more) => {
  const { unanswered, keep, sent } = start();
  keep("d1", 1);
  expect(unanswered.take(sent("d1", 1, more))).toBeUndefined();
  expect(unanswered.take(sent("d1", 1))).toBeUndefined();
});

it("takes what is not marked for the same for 15 s, and not later", async () => {
  const { clock, unanswered, keep, sent } = start();
  const one = keep("d1", 1);
  await clock.advance(14_999);
  expect(unanswered.take(sent("d1", 1, { isRepeated: false }))).toBe(one);
  keep("d1", 1);
  await clock.advance(15_000);
  expect(unanswered.take(sent("d1", 1, { isRepeated: false }))).toBeUndefined();
  expect(unanswered.take(sent("d1", 1))).toBeUndefined();
});

it("keeps what is stored for a minute, and what waits as long as it does", async () => {
  const { clock, waiting, unanswered, keep, sent } = start();
  keep("d1", 1);
  keep("d1", 2, "b");
  const late = keep("d1", 3, "c");
  waiting.stored("acme", ["a"]);
  await clock.advance(59_999);
  expect(unanswered.take(sent("d1", 1))?.isStored).toBe(true);
  keep("d1", 1);
  waiting.stored("acme", ["a", "b"]);
  await clock.advance(1);
  expect(unanswered.take(sent("d1", 2, { digest: "b" }))).toBeUndefined();
  await clock.advance(300_000);
  expect(unanswered.take(sent("d1", 3, { digest: "c" }))).toBe(late);
});

it("keeps what was kept anew its own minute", async () => {
  const { clock, unanswered, keep, sent } = start();
  const one = keep("d1", 1);
  await clock.advance(30_000);
  expect(unanswered.take(sent("d1", 1))).toBe(one);
  one.isStored = true;
  unanswered.keep([one]);
  await clock.advance(59_999);
  expect(unanswered.take(sent("d1", 1))).toBe(one);
  unanswered.keep([one]);
  await clock.advance(60_000);
  expect(unanswered.take(sent("d1", 1))).toBeUndefined();
});

it("gives out what was answered where it is marked only, and lets that take half of the room", () => {
  const { unanswered, keep, sent } = start(4);
  const answered = ["d1", "d2", "d3"].map(user => {
    const one = keep(user, 1);
    unanswered.take(sent(user, 1));
    one.answeredAt = 0;
    return one;
  });
  unanswered.keep(answered);
  expect(unanswered.take(sent("d3", 1))).toBeUndefined();
  expect(unanswered.take(sent("d1", 1, { isRepeated: false }))).toBeUndefined();
  expect(unanswered.take(sent("d2", 1))).toBe(answered[1]);
  keep("d4", 1);
  keep("d5", 1);
  unanswered.keep(answered);
  expect(unanswered.take(sent("d1", 1))).toBeUndefined();
});

it("forgets what is lost, and no other that has its number since", () => {
  const { waiting, unanswered, keep, sent } = start();
  const first = keep("d1", 1);
  const second = keep("d1", 1, "b");
  first.lost("x");
  expect(unanswered.take(sent("d1", 1, { digest: "b" }))).toBe(second);
  keep("d1", 1);
  waiting.close();
  expect(unanswered.take(sent("d1", 1))).toBeUndefined();
});

it("keeps no more than it may", () => {
  const { unanswered, keep, sent } = start(2);
  keep("d1", 1, "another that had its number");
  const first = keep("d1", 1);
  const second = keep("d2", 1);
  keep("d3", 1);
  expect(unanswered.take(sent("d3", 1))).toBeUndefined();
  expect(unanswered.take(sent("d2", 1))).toBe(second);
  expect(unanswered.take(sent("d1", 1))).toBe(first);
  const third = keep("d3", 1);
  expect(unanswered.take(sent("d3", 1))).toBe(third);
});

it("keeps no more than 1,000 of a device", () => {
  const { unanswered, keep, sent } = start();
  for (let packetId = 1; packetId <= 1_001; packetId++) keep("d1", packetId);
  const other = keep("d2", 1);
  expect(unanswered.take(sent("d1", 1_001))).toBeUndefined();
  expect(unanswered.take(sent("d1", 1_000))).toBeDefined();
  expect(unanswered.take(sent("d2", 1))).toBe(other);
});
