import { SkepError } from "@skep/core/error.ts";
import { describe, expect, it } from "vitest";
import { watch } from "./watch.ts";

const away = new SkepError("unavailable", "AWAY", "The scheduler is away.");

/** A server of numbers whose streams break after `breakAfter` items. */
function numbers(breakAfter: number, failure: unknown) {
  const asked: (number | undefined)[] = [];
  async function* open(last: number | undefined): AsyncGenerator<number> {
    asked.push(last);
    for (let item = (last ?? 0) + 1, sent = 0; ; item++, sent++) {
      if (sent === breakAfter) {
        if (failure === undefined) return;
        throw failure;
      }
      yield item;
    }
  }
  return { asked, open };
}

async function take(items: AsyncIterable<number>, count: number): Promise<number[]> {
  const taken: number[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

describe("watch", () => {
  it.each([
    ["breaks", away],
    ["ends", undefined],
  ])("goes on after the last item when the stream %s", async (_, failure) => {
    const server = numbers(2, failure);
    expect(await take(watch(server.open, { delayMs: 1 }), 5)).toEqual([1, 2, 3, 4, 5]);
    expect(server.asked).toEqual([undefined, 2, 4]);
  });

  it("waits longer each time nothing comes, up to the bound, and starts over after an item", async () => {
    const delays: number[] = [];
    const stop = new AbortController();
    let opened = 0;
    async function* open(): AsyncGenerator<number> {
      opened++;
      if (opened === 5) yield 1;
      throw away;
    }
    const onBreak = (_: SkepError, delayMs: number): void => {
      delays.push(delayMs);
      if (delays.length === 6) stop.abort();
    };
    await take(watch(open, { delayMs: 1, maxDelayMs: 4, signal: stop.signal, onBreak }), 10);
    expect(delays).toEqual([1, 2, 4, 4, 1, 2]);
  });

  it("gives up at once where asking again cannot help", async () => {
    const gone = new SkepError("not_found", "NO_SUCH", "There is no deployment acme.web.");
    const server = numbers(1, gone);
    await expect(take(watch(server.open, { delayMs: 1 }), 5)).rejects.toBe(gone);
    expect(server.asked).toEqual([undefined]);
  });

  it("tells the stream that it was left", async () => {
    const signals: AbortSignal[] = [];
    const server = numbers(2, away);
    const open = (last: number | undefined, signal: AbortSignal): AsyncIterable<number> => {
      signals.push(signal);
      return server.open(last);
    };
    await take(watch(open, { delayMs: 1 }), 3);
    expect(signals.map(signal => signal.aborted)).toEqual([true, true]);
  });

  it("ends quietly when it is told to, also while it waits", async () => {
    const stop = new AbortController();
    const items = watch(numbers(0, away).open, { delayMs: 60_000, signal: stop.signal, onBreak: () => stop.abort() });
    expect(await take(items, 1)).toEqual([]);
  });
});
