import { SkepError } from "@skep/core/error.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Hold } from "./ledger.ts";

/** What bounds a body on its way in. */
export interface MeterOptions {
  readonly clock: Clock;
  readonly hold: Pick<Hold, "grow">;
  /** Bytes that whoever sends it said it has: fewer are a body that was cut. */
  readonly size?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for its next bytes. */
  readonly stallMs: number;
  /** Told each time how many bytes have passed. */
  readonly passed: (bytes: number) => void;
}

/** The body, which fails where it stalls, is cut, is longer than it said, or finds no room. */
export async function* metered(
  body: AsyncIterable<Uint8Array>,
  options: MeterOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { size, hold, passed } = options;
  const iterator = body[Symbol.asyncIterator]();
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await inTime(iterator.next(), options);
      if (done === true) break;
      total += value.length;
      if (size !== undefined && total > size) throw wrongSize(`has more than the ${size} bytes that it said`);
      hold.grow(value.length);
      passed(total);
      yield value;
    }
    if (size !== undefined && total < size) throw wrongSize(`ended after ${total} of ${size} bytes`);
  } finally {
    // A body that hangs would hang here too.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

function wrongSize(what: string): SkepError {
  return new SkepError("invalid_argument", "FILE_CUT", `The file ${what}; nothing of it is kept. Send it again.`);
}

async function inTime<T>(next: Promise<T>, { clock, stallMs, signal }: MeterOptions): Promise<T> {
  const ended = new AbortController();
  const late = async (): Promise<never> => {
    const either = signal === undefined ? ended.signal : AbortSignal.any([ended.signal, signal]);
    await clock.sleep(stallMs, either);
    const isStopped = signal?.aborted === true;
    const why = isStopped ? "was called off" : `sent nothing for ${Math.round(stallMs / 1000)} s`;
    const code = isStopped ? "aborted" : "deadline_exceeded";
    throw new SkepError(code, isStopped ? "FILE_CALLED_OFF" : "FILE_STALLED", `The upload ${why}; nothing is kept.`);
  };
  const waiting = late();
  waiting.catch(() => undefined);
  try {
    return await Promise.race([next, waiting]);
  } catch (error) {
    if (error instanceof SkepError) throw error;
    const text = `The upload broke off: ${(error as Error).message}; nothing of it is kept. Send it again.`;
    throw new SkepError("aborted", "FILE_CUT", text, { cause: error });
  } finally {
    ended.abort();
  }
}
