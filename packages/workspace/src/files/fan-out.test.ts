import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { fanOut, type Sink } from "./fan-out.ts";

const CHUNK = new Uint8Array(64 * 1024);

function body(chunks: number, failure?: Error): { body: AsyncGenerator<Uint8Array>; read: () => number } {
  let read = 0;
  async function* generate(): AsyncGenerator<Uint8Array> {
    for (; read < chunks; read += 1) {
      await Promise.resolve();
      yield CHUNK;
    }
    if (failure !== undefined) throw failure;
  }
  return { body: generate(), read: () => read };
}

function keep(into: number[]): Sink {
  return async pipe => void into.push((await buffer(pipe)).length);
}

describe("a body that goes to several regions", () => {
  it("is the same in each", async () => {
    const lengths: number[] = [];
    const result = await fanOut(body(50).body, [keep(lengths), keep(lengths)]);
    expect([lengths, result]).toEqual([
      [50 * CHUNK.length, 50 * CHUNK.length],
      { error: undefined, took: [true, true] },
    ]);
  });

  it("that breaks off is taken for whole by none", async () => {
    const [lengths, failure] = [[] as number[], new Error("cut")];
    const result = await fanOut(body(50, failure).body, [keep(lengths), keep(lengths)]);
    expect([lengths, result]).toEqual([[], { error: failure, took: [false, false] }]);
  });

  it("is given to none any more once one fails, and says why that one did", async () => {
    const [lengths, failure] = [[] as number[], new Error("no route")];
    const fails: Sink = async pipe => {
      for await (const chunk of pipe) if ((chunk as Uint8Array).length > 0) break;
      await new Promise(resolve => setImmediate(resolve));
      throw failure;
    };
    const endless = body(Number.MAX_SAFE_INTEGER);
    const result = await fanOut(endless.body, [keep(lengths), fails]);
    expect([lengths, result]).toEqual([[], { error: failure, took: [false, false] }]);
  });

  it("is read no faster than the slowest takes it", async () => {
    const endless = body(200);
    const lengths: number[] = [];
    const waits: Sink = async pipe => {
      for (let last = -1; last !== endless.read();) {
        last = endless.read();
        for (let turn = 0; turn < 100; turn += 1) await new Promise(resolve => setImmediate(resolve));
      }
      expect(endless.read()).toBeLessThan(50);
      pipe.resume();
      await once(pipe, "end");
    };
    const result = await fanOut(endless.body, [keep(lengths), waits]);
    expect([lengths, result.took]).toEqual([[200 * CHUNK.length], [true, true]]);
  });
});
