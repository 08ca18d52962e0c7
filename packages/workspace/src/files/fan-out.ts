import { PassThrough } from "node:stream";

/** Takes a body in; rejects where it cannot, and then keeps nothing of it. */
export type Sink = (body: PassThrough) => Promise<void>;

/** What became of a body that went to several sinks. */
export interface FanOutResult {
  /** What failed first; `undefined` where all took all of it. */
  readonly error: unknown;
  /** Which sinks took all of it. */
  readonly took: readonly boolean[];
}

const BUFFER = 1024 * 1024;

/** Sends one body to several sinks, as fast as the slowest; when one fails, none gets the rest. */
export async function fanOut(body: AsyncIterable<Uint8Array>, sinks: readonly Sink[]): Promise<FanOutResult> {
  const pipes = sinks.map(() => new PassThrough({ highWaterMark: BUFFER }));
  const errors: unknown[] = [];
  const another = new Error("Another region did not take it.");
  function fail(error: unknown): void {
    if (error !== another) errors.push(error);
    // Without a reason a reader would take it for the end.
    for (const pipe of pipes) pipe.destroy(another);
  }
  for (const pipe of pipes) pipe.on("error", () => undefined);
  const taking = sinks.map(async (take, index) => {
    try {
      await take(pipes[index] ?? new PassThrough());
      return true;
    } catch (error) {
      fail(error);
      return false;
    }
  });
  try {
    for await (const chunk of body) {
      for (const pipe of pipes) await write(pipe, chunk);
      if (pipes.some(pipe => pipe.destroyed)) throw another;
    }
    for (const pipe of pipes) pipe.end();
  } catch (error) {
    fail(error);
  }
  const took = await Promise.all(taking);
  return { error: errors[0], took };
}

/** Resolves once there is room for more, or nobody reads any more. */
async function write(pipe: PassThrough, chunk: Uint8Array): Promise<void> {
  if (pipe.destroyed || pipe.write(chunk)) return;
  await new Promise<void>(resolve => {
    function goOn(): void {
      pipe.off("drain", goOn).off("close", goOn);
      resolve();
    }
    pipe.on("drain", goOn).on("close", goOn);
  });
}
