import { SkepError } from "@skep/core/error.ts";

/** A command's standard input, gathered from its parts. */
export interface ExecInput {
  add(offset: number, data: Uint8Array): void;
  /**
   * All of it, once it is there; less when `signal` is aborted. @throws SkepError `unavailable`
   * where a part was lost.
   */
  whole(signal: AbortSignal): Promise<Uint8Array>;
}

const MOST_BYTES = 1024 * 1024;

/** Makes room for so many bytes. @throws SkepError `invalid_argument` for more than 1 MiB. */
export function createExecInput(bytes: number): ExecInput {
  if (bytes > MOST_BYTES) {
    const words = `The input has ${bytes} bytes; at most ${MOST_BYTES} are taken. Put a file into the image or a volume.`;
    throw new SkepError("invalid_argument", "INPUT_TOO_LARGE", words);
  }
  const whole = new Uint8Array(bytes);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let length = 0;
  // Nobody waits for it where the command was given up first.
  promise.catch(() => undefined);
  if (bytes === 0) resolve();
  return {
    add: (offset, data) => {
      if (offset !== length || offset + data.length > bytes) {
        const words = "A part of the input was lost on the way, and the command was not started: run it again.";
        reject(new SkepError("unavailable", "INPUT_LOST", words));
        return;
      }
      whole.set(data, offset);
      length += data.length;
      if (length === bytes) resolve();
    },
    whole: async signal => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      return whole;
    },
  };
}
