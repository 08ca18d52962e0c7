import { afterEach, expect, it } from "vitest";
import { createRig } from "../testing/rig.ts";
import { createBeats, type Beats } from "./beats.ts";
import { createSenders } from "./senders.ts";

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
