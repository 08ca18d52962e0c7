import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createWaiting, type Held } from "./waiting.ts";

function start() {
  const clock = createVirtualClock();
  const log = createRecordingLog();
  const waiting = createWaiting(clock, log);
  const stored: string[] = [];
  const lost: string[] = [];
  const hold = (name: string, digest = name, workspaceId = "acme"): Held => {
    const one = {
      ...{ workspaceId, digest },
      stored: () => void stored.push(name),
      lost: (because: string) => void lost.push(`${name}: ${because}`),
    };
    waiting.add(one);
    return one;
  };
  const acknowledge = (name: string, digest = name): Held => {
    const one = hold(name, digest);
    waiting.acknowledged(one);
    return one;
  };
  const said = (): readonly string[] => log.lines.map(one => one.event);
  const texts = (): readonly string[] => log.lines.map(one => one.sentence);
  return { clock, waiting, stored, lost, hold, acknowledge, said, texts };
}

it("says of each message that it is stored, once, in its workspace only", () => {
  const { waiting, stored, hold } = start();
  hold("a");
  hold("b");
  hold("other's", "a", "other");
  waiting.stored("acme", ["b", "unknown"]);
  expect(stored).toEqual(["b"]);
  waiting.stored("acme", ["a", "a", "b"]);
  expect(stored).toEqual(["b", "a"]);
  expect(waiting.size).toBe(1);
});

it("says of two that are alike as often as it is told, the first one first", () => {
  const { waiting, stored, hold } = start();
  hold("first", "x");
  hold("second", "x");
  waiting.stored("acme", ["x"]);
  expect(stored).toEqual(["first"]);
  waiting.stored("acme", ["x"]);
  expect(stored).toEqual(["first", "second"]);
});

it("says nothing of what was taken out", async () => {
  const { clock, waiting, stored, lost, hold, said } = start();
  const one = hold("a");
  waiting.remove(one);
  waiting.remove(one);
  waiting.acknowledged(one);
  waiting.stored("acme", ["a"]);
  waiting.begun("acme");
  await clock.advance(600_001);
  waiting.look();
  expect([stored, lost, said(), waiting.size]).toEqual([[], [], [], 0]);
});

it("takes out only the one of two that are alike", () => {
  const { waiting, stored, hold } = start();
  const one = hold("first", "x");
  hold("second", "x");
  waiting.remove(one);
  waiting.remove(one);
  expect(waiting.size).toBe(1);
  waiting.stored("acme", ["x"]);
  expect(stored).toEqual(["second"]);
});

it("has a message sent again that was overtaken by more than 5 s, and none that was not", async () => {
  const { clock, waiting, lost, acknowledge, hold, said } = start();
  acknowledge("old");
  hold("not acknowledged yet");
  await clock.advance(1);
  acknowledge("younger");
  await clock.advance(5_000);
  acknowledge("later");
  waiting.stored("acme", ["later"]);
  expect(lost).toEqual(["old: later messages are stored and it is not"]);
  expect(said()).toEqual(["gate.lost"]);
});

it("has no message sent again for one whose acknowledgement is still under way", async () => {
  const { clock, waiting, lost, acknowledge, hold } = start();
  acknowledge("old");
  await clock.advance(60_000);
  hold("later");
  waiting.stored("acme", ["later"]);
  expect(lost).toEqual([]);
});

it("has all of a workspace sent again when its session begins, and nothing of others", () => {
  const { waiting, lost, hold, acknowledge } = start();
  hold("a");
  acknowledge("b");
  hold("other's", "a", "other");
  waiting.begun("acme");
  waiting.begun("none");
  expect(lost.map(one => one.split(":")[0])).toEqual(["a", "b"]);
  expect(waiting.size).toBe(1);
});

it("ends nothing twice where the end of a connection takes out the others", () => {
  const { waiting, lost } = start();
  const both: Held[] = [1, 2].map(n => ({
    ...{ workspaceId: "acme", digest: String(n), stored: () => undefined },
    lost: because => {
      lost.push(because);
      for (const one of both) waiting.remove(one);
    },
  }));
  for (const one of both) waiting.add(one);
  waiting.begun("acme");
  expect([lost.length, waiting.size]).toEqual([1, 0]);
});

it("says once that a workspace waits for more than 10 s, and once that it goes on", async () => {
  const { clock, waiting, acknowledge, said } = start();
  acknowledge("a");
  await clock.advance(10_000);
  waiting.look();
  expect(said()).toEqual([]);
  await clock.advance(1);
  waiting.look();
  waiting.look();
  expect(said()).toEqual(["gate.waits"]);
  waiting.stored("acme", ["a"]);
  waiting.look();
  waiting.look();
  expect(said()).toEqual(["gate.waits", "gate.goes-on"]);
});

it("has nothing wait for more than ten minutes", async () => {
  const { clock, waiting, acknowledge, lost } = start();
  acknowledge("a");
  await clock.advance(1_000);
  acknowledge("b");
  await clock.advance(599_000);
  waiting.look();
  expect(lost).toEqual([]);
  await clock.advance(1);
  waiting.look();
  expect(lost).toEqual(["a: nobody has stored it for ten minutes"]);
});

it("has nothing wait for more than ten minutes that the broker has not even acknowledged", async () => {
  const { clock, waiting, hold, lost } = start();
  hold("a");
  await clock.advance(600_000);
  waiting.look();
  expect(lost).toEqual([]);
  await clock.advance(1);
  waiting.look();
  expect(lost).toEqual(["a: nobody has stored it for ten minutes"]);
});

it("has no message sent again for one whose acknowledgement was read late", async () => {
  const { clock, waiting, hold, acknowledge, lost } = start();
  const late = hold("late");
  acknowledge("neighbour");
  await clock.advance(60_000);
  waiting.acknowledged(late);
  waiting.stored("acme", ["late"]);
  expect(lost).toEqual([]);
});

it("has no message sent again that the broker acknowledged after a later one was on its way", async () => {
  const { clock, waiting, hold, acknowledge, lost } = start();
  const slow = hold("slow");
  await clock.advance(60_000);
  acknowledge("later");
  waiting.acknowledged(slow);
  waiting.stored("acme", ["later"]);
  expect(lost).toEqual([]);
});

it("says of a workspace that waits whether it has heard anything of it before", async () => {
  const { clock, waiting, acknowledge, texts } = start();
  acknowledge("a");
  await clock.advance(10_001);
  waiting.look();
  expect(texts()).toEqual([expect.stringContaining("has not heard")]);
  waiting.stored("acme", ["a"]);
  waiting.look();
  acknowledge("b");
  await clock.advance(10_001);
  waiting.look();
  expect(texts()[2]).toBe("Devices of acme wait: nobody stores what they send.");
});
