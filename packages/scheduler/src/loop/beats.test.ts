import { encodeBeat } from "@skep/api/codec/beat.ts";
import { afterEach, expect, it } from "vitest";
import { createRig } from "../testing/rig.ts";
import { createBeats, type Beats } from "./beats.ts";
import { createSenders } from "./senders.ts";

const A_BEAT = {
  ...{ nodeId: "node-1", bootId: "b", sessionId: "ses-1", reportSeq: 0, incarnation: "", refused: "" },
  ...{ appliedTerm: 0, appliedRevision: 0, digest: 0n, instances: 0, load: undefined, leaving: false, at: 0 },
};

let beats: Beats | undefined;
afterEach(() => beats?.close());

it("A scheduler keeps the time that it listened, however late and in what order it hears of the bus", async () => {
  const rig = createRig();
  const ports = rig.ports("s1");
  let say: (connected: boolean) => void = () => undefined;
  const bus = { ...ports.bus, onStatus: (handle: typeof say) => ports.bus.onStatus((say = handle)) };
  beats = createBeats({ ...ports, bus }, createSenders(ports));
  await rig.clock.advance(5_000);
  for (const late of [true, false, true, false]) say(late);
  expect(beats.listenedMs()).toBe(5_000);
  await rig.clock.advance(1_000);
  expect(beats.listenedMs()).toBe(6_000);
  rig.network.cut("s1");
  await rig.clock.advance(3_000);
  expect(beats.listenedMs()).toBe(6_000);
  rig.network.heal("s1");
  await rig.clock.advance(500);
  expect(beats.listenedMs()).toBe(6_500);
});

it("a beat that is doubled or overtaken, and another sign of life, is no new beat", async () => {
  const rig = createRig();
  const ports = rig.ports("s1");
  beats = createBeats(ports, createSenders(ports));
  const agent = rig.network.connect("agent");
  const beat = (seq: number): void => agent.publish("skep.v1.beat.node-1", encodeBeat({ ...A_BEAT, seq }));
  const newBefore = async (): Promise<number | undefined> => {
    await rig.clock.advance(1_000);
    return beats?.heard("node-1")?.newBeforeMs;
  };
  beat(2);
  expect(await newBefore()).toBeUndefined();
  for (const seq of [2, 1]) beat(seq);
  beats.note("node-1");
  expect(await newBefore()).toBeUndefined();
  expect(beats.silentMs("node-1")).toBeLessThanOrEqual(1_000);
  beat(3);
  expect(await newBefore()).toBeLessThan(1_000);
});
