import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { Beginning } from "./beginning.ts";

/** Something that is away as often as it is told, and then hangs or works. */
function store(failures: number, hangs = false) {
  const clock = createVirtualClock();
  const tries: number[] = [];
  const beginning = new Beginning(clock, () => {
    tries.push(clock.monotonic());
    if (hangs) return new Promise(() => undefined);
    return tries.length > failures ? Promise.resolve() : Promise.reject(new Error(`no ${tries.length}`));
  });
  return { clock, tries, beginning };
}

describe("what begins once its store is there", () => {
  it("is tried again, later each time, until it has begun, and says what failed last", async () => {
    const { clock, tries, beginning } = store(7);
    await beginning.soon(3_000);
    expect(beginning.problem).toBe("no 1");
    await clock.advance(3_000);
    expect([tries.length, beginning.problem]).toEqual([3, "no 3"]);
    await clock.advance(100_000);
    const waits = tries.slice(1).map((at, index) => at - tries[index]!);
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(beginning.problem).toBeUndefined();
    await clock.advance(100_000);
    expect(tries).toHaveLength(8);
  });

  it("is not waited for longer than it was said, where the store hangs", async () => {
    const { clock, beginning } = store(0, true);
    let isOver = false;
    void beginning.soon(3_000).then(() => (isOver = true));
    await clock.advance(2_999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect([isOver, beginning.problem]).toEqual([true, "it has not answered yet"]);
  });

  it("is tried no more once it is stopped", async () => {
    const { clock, tries, beginning } = store(9);
    await beginning.soon(3_000);
    beginning.stop();
    await clock.advance(100_000);
    expect(tries).toHaveLength(1);
  });
});
