import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, test } from "vitest";
import { createWatch } from "./watch.ts";

/** A watch over containers that end after `tookMs`; the engine refuses while `refuses`. */
function rig(tookMs = 0) {
  const clock = createVirtualClock(1_700_000_000_000);
  const log = createRecordingLog();
  const world = { clock, running: new Set(["a", "b"]), refuses: false, asked: [] as string[], idle: false };
  const end = async (id: string): Promise<boolean> => {
    world.asked.push(id);
    await clock.sleep(tookMs);
    if (world.refuses) throw new Error("no answer");
    return world.running.delete(id);
  };
  const watch = createWatch({ ender: { end }, clock, log, onIdle: () => (world.idle = true) });
  const said = (): string[] => log.lines.map(line => line.event);
  return { ...world, world, watch, said };
}
const for5s = (containerId: string) => ({ containerId, inMs: 5_000 });

describe("a guard", () => {
  test("ends what is not renewed, and only that", async () => {
    const { watch, clock, running, said } = rig();
    watch.take([for5s("a"), for5s("b")]);
    await clock.advance(4_000);
    watch.take([{ containerId: "a", inMs: 1_000 }, for5s("b")]);
    await clock.advance(2_000);
    expect([...running]).toEqual(["b"]);
    expect(said()).toEqual(["guard.ended"]);
  });

  test("leaves what it is told of no more", async () => {
    const { watch, clock, running } = rig();
    watch.take([for5s("a")]);
    watch.take([]);
    await clock.advance(10_000);
    expect(running.has("a")).toBe(true);
  });

  test("tries again while the engine does not do it, and says so once", async () => {
    const { watch, clock, running, world, said } = rig();
    world.refuses = true;
    watch.take([for5s("a")]);
    await clock.advance(10_000);
    world.refuses = false;
    await clock.advance(2_000);
    expect(running.has("a")).toBe(false);
    expect(said()).toEqual(["guard.failed", "guard.ended"]);
  });

  test("asks for an end once at a time", async () => {
    const { watch, clock, asked } = rig(20_000);
    watch.take([for5s("a")]);
    await clock.advance(20_000);
    expect(asked).toEqual(["a"]);
  });

  test("ends again what a late start brings back", async () => {
    const { watch, clock, running } = rig();
    watch.take([for5s("a")]);
    await clock.advance(6_000);
    running.add("a");
    await clock.advance(2_000);
    expect(running.has("a")).toBe(false);
  });

  test("looks after one that was renewed while it was being ended", async () => {
    const { watch, clock, running } = rig(500);
    watch.take([for5s("a")]);
    await clock.advance(5_200);
    watch.take([for5s("a")]);
    await clock.advance(1_000);
    running.add("a");
    watch.orphan();
    await clock.advance(10_000);
    expect(running.has("a")).toBe(false);
  });

  test("whose agent is gone ends what it holds when its time comes, and then has nothing left", async () => {
    const { watch, clock, running, world } = rig(500);
    watch.take([for5s("a")]);
    watch.orphan();
    await clock.advance(4_000);
    expect([running.has("a"), world.idle]).toEqual([true, false]);
    await clock.advance(1_200);
    expect(world.idle).toBe(false);
    await clock.advance(1_000);
    expect([running.has("a"), world.idle]).toEqual([false, true]);
  });

  test("whose agent is gone gives up an engine that stays silent, and says so", async () => {
    const { watch, clock, world, said } = rig();
    world.refuses = true;
    watch.take([for5s("a")]);
    watch.orphan();
    await clock.advance(400_000);
    expect(world.idle).toBe(true);
    expect(said()).toEqual(["guard.failed", "guard.gave-up"]);
  });
});
