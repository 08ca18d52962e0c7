import { describe, expect, test } from "vitest";
import { createMemoryNetwork } from "@skep/kit/memory-bus.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { busOfLife, createLife, throughGate } from "./life.ts";

describe("A simulated process", () => {
  function aLife() {
    const world = createVirtualClock(1_000);
    return { world, life: createLife("p", world) };
  }

  test("does nothing more once it is killed, also in the middle of a call", async () => {
    const { world, life } = aLife();
    const port = { write: async (value: number) => value };
    const seen: string[] = [];
    const slow = throughGate(port, life, {
      before: () => life.clock.sleep(10),
      after: () => life.clock.sleep(10),
    });
    void slow.write(1).then(() => seen.push("first"));
    await world.advance(30);
    void slow.write(2).then(() => seen.push("second"));
    await world.advance(15);
    life.kill();
    life.clock.timer(1, () => seen.push("timer"));
    void slow.write(3).then(() => seen.push("third"));
    await world.advance(100);
    expect(seen).toEqual(["first"]);
  });

  test("catches up after a pause, timers first, and knows how long it really ran", async () => {
    const { world, life } = aLife();
    const network = createMemoryNetwork(world);
    const bus = busOfLife(network.connect("p"), life, () => undefined);
    const seen: string[] = [];
    bus.subscribe("s", () => seen.push("message"));
    life.clock.timer(20, () => seen.push(`timer at ${world.now()}`));
    await world.advance(10);
    life.pause();
    network.connect("q").publish("s", new Uint8Array());
    await world.advance(90);
    expect(seen).toEqual([]);
    life.resume();
    await world.advance(10);
    expect(seen).toEqual(["timer at 1100", "message"]);
    expect(life.ranMs()).toBe(20);
  });

  test("hears what comes as it goes on after what came while it was paused", async () => {
    const { world, life } = aLife();
    const seen: string[] = [];
    life.pause();
    life.run("message", () => {
      seen.push("first");
      life.run("message", () => seen.push("third"));
    });
    life.resume();
    life.run("message", () => seen.push("second"));
    await world.advance(1);
    life.run("message", () => seen.push("fourth"));
    expect(seen).toEqual(["first", "second", "third", "fourth"]);
  });

  test("has a wall clock that can jump without its timers noticing", async () => {
    const { world, life } = aLife();
    let ran = false;
    life.clock.timer(10, () => (ran = true));
    life.jump(3_600_000);
    await world.advance(10);
    expect([ran, life.clock.now(), life.clock.monotonic()]).toEqual([true, 3_601_010, 10]);
  });
});
