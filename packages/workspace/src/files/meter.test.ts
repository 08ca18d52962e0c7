import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { metered, type MeterOptions } from "./meter.ts";

async function* bodyOf(...lengths: number[]): AsyncGenerator<Uint8Array> {
  for (const length of lengths) {
    await Promise.resolve();
    yield new Uint8Array(length);
  }
}

async function lengthOf(body: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of body) length += chunk.length;
  return length;
}

function options(more: Partial<MeterOptions> = {}): MeterOptions {
  const clock = createVirtualClock();
  return { clock, hold: { grow: () => undefined }, stallMs: 1000, passed: () => undefined, ...more };
}

const because = (reason: string): unknown => expect.objectContaining({ name: "SkepError", reason });

describe("a body on its way in", () => {
  it("passes whole, held as it goes", async () => {
    const [held, passed]: [number[], number[]] = [[], []];
    const hold = { grow: (bytes: number): void => void held.push(bytes) };
    const told = (bytes: number): void => void passed.push(bytes);
    expect(await lengthOf(metered(bodyOf(2, 3), options({ hold, passed: told, size: 5 })))).toBe(5);
    expect([held, passed]).toEqual([
      [2, 3],
      [2, 5],
    ]);
  });

  it.each([
    [4, "has more than the 4 bytes"],
    [6, "ended after 5 of 6 bytes"],
  ])("is refused where it said that it has %i bytes and has 5", async (size, text) => {
    await expect(lengthOf(metered(bodyOf(2, 3), options({ size })))).rejects.toThrow(text);
  });

  it("fails where it breaks off, finds no room, stalls, or is called off", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* bodyOf(2);
      throw new Error("ECONNRESET");
    }
    await expect(lengthOf(metered(broken(), options()))).rejects.toEqual(because("FILE_CUT"));
    const full = new Error("full");
    const hold = {
      grow: () => {
        throw full;
      },
    };
    await expect(lengthOf(metered(bodyOf(2), options({ hold })))).rejects.toBe(full);
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    const clock = createVirtualClock();
    const stalled = lengthOf(metered(silent, options({ clock })));
    const expected = expect(stalled).rejects.toEqual(because("FILE_STALLED"));
    await clock.advance(1001);
    await expected;
    const signal = AbortSignal.abort();
    await expect(lengthOf(metered(silent, options({ signal })))).rejects.toEqual(because("FILE_CALLED_OFF"));
  });
});
