import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { expect, it } from "vitest";
import { Message } from "./held-message.ts";
import { createLastAnswered } from "./last-answered.ts";
import { createWaiting } from "./waiting.ts";

function start() {
  const clock = createVirtualClock();
  const waiting = createWaiting(clock, createRecordingLog());
  const owner = { stored: () => undefined, lost: () => undefined };
  const last = createLastAnswered(clock);
  return {
    clock,
    answer: (packetId: number) =>
      last.add(new Message({ workspaceId: "w", user: "d", waiting }, owner, { digest: "a", packetId, qos: 1 })),
    ids: () => last.all().map(one => one.packetId),
  };
}

const upTo = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);

it("knows the last hundred of 20 s, the oldest first", async () => {
  const { clock, answer, ids } = start();
  for (const id of upTo(1, 250)) answer(id);
  expect(ids()).toEqual(upTo(151, 250));
  await clock.advance(20_000);
  answer(251);
  expect(ids()).toEqual(upTo(152, 251));
});

it("knows eight however long ago they were", async () => {
  const { clock, answer, ids } = start();
  for (const id of upTo(1, 20)) answer(id);
  await clock.advance(20_001);
  answer(21);
  expect(ids()).toEqual(upTo(14, 21));
  await clock.advance(3_600_000);
  answer(22);
  expect(ids()).toEqual(upTo(15, 22));
});
