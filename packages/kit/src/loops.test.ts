import { describe, expect, test } from "vitest";
import { createRecordingLog } from "./log.ts";
import { createLoops } from "./loops.ts";
import { seededRandom } from "./random.ts";
import { createVirtualClock } from "./virtual-clock.ts";

describe("The loops of a process", () => {
  function someLoops() {
    const clock = createVirtualClock(1_000_000);
    const log = createRecordingLog();
    return { clock, log, loops: createLoops({ clock, log, random: seededRandom("loops") }) };
  }

  test("names what fails, since when and why, until it works again, and says both once", async () => {
    const { clock, log, loops } = someLoops();
    let broken = true;
    const run = async (): Promise<void> => {
      if (broken) throw new Error("no database");
    };
    const tick = loops.begin("tick", run, { minGapMs: 0, periodMs: 60_000 });
    loops.watch("absorb");
    tick.hint();
    await clock.advance(5_000);
    const failing = { sinceAt: 1_000_000, failures: expect.any(Number) as number, error: "no database" };
    expect(loops.states()).toEqual([{ name: "absorb" }, { name: "tick", failing }]);
    broken = false;
    // The retry comes long before the period does.
    await clock.advance(1_000);
    expect(loops.states()).toEqual([{ name: "absorb" }, { name: "tick" }]);
    expect(log.lines.map(line => line.event)).toEqual(["loop.failed", "loop.recovered"]);
    await tick.close();
    expect(loops.states()).toEqual([{ name: "absorb" }]);
  });

  test("says a failure in the loop's own words and waits as long as the loop asks for", async () => {
    const { clock, log, loops } = someLoops();
    const started: number[] = [];
    const words = {
      failed: { event: "engine.silent", level: "error", sentence: "The engine is silent." },
      recovered: { event: "engine.answered", sentence: "The engine answers." },
    } as const;
    const run = async (): Promise<void> => {
      started.push(clock.now() - 1_000_000);
      if (started.length === 1) throw new Error("silent");
    };
    loops.begin("engine", run, { minGapMs: 0, words, retry: { baseMs: 4_000, maxMs: 4_000 } }).hint();
    await clock.advance(4_000);
    expect(started).toEqual([0, expect.any(Number)]);
    expect(started[1]).toBeGreaterThanOrEqual(2_000);
    expect(log.lines.map(({ level, event }) => [level, event])).toEqual([
      ["error", "engine.silent"],
      ["info", "engine.answered"],
    ]);
  });
});
