import { SkepError } from "@skep/core/error.ts";

/**
 * Bounds how many questions are answered at once; who comes beyond is told so, and waits nowhere.
 */
export interface Gate {
  /** @throws SkepError `resource_exhausted` `QUERIES_BUSY`. */
  pass<T>(work: () => Promise<T>): Promise<T>;
}

/** A gate for so many at once. */
export function createGate(most: number): Gate {
  let running = 0;
  return {
    async pass(work) {
      if (running >= most) {
        const says = `${running} questions are being answered, which is the most at once; ask again when one is done.`;
        throw new SkepError("resource_exhausted", "QUERIES_BUSY", says);
      }
      running += 1;
      try {
        return await work();
      } finally {
        running -= 1;
      }
    },
  };
}
