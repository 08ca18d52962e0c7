/**
 * Shows the steps of a long start: one line each, with the time it took, and what it does
 * meanwhile.
 */
export interface Steps {
  /**
   * Runs one step; its line shows while it runs (on a terminal) and stays with its time when it is
   * done.
   */
  run<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
}

/** Seconds with one decimal, as people read durations. */
function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

/**
 * Steps written to a stream; on a terminal the running step keeps one live line, elsewhere each
 * detail gets its own.
 */
export function createSteps(out: NodeJS.WriteStream, total: number): Steps {
  let number = 0;
  return {
    async run(title, work) {
      number += 1;
      const head = `[${number}/${total}] ${title}`;
      const startedAt = performance.now();
      let note = "";
      const live = (): void => {
        if (out.isTTY) out.write(`\r\u001b[2K${head} ... ${note} ${seconds(startedAt)}`.slice(0, out.columns + 6));
      };
      const ticking = setInterval(live, 200);
      if (!out.isTTY) out.write(`${head} ...\n`);
      live();
      try {
        const result = await work(text => {
          note = text;
          if (!out.isTTY) out.write(`      ${text} (${seconds(startedAt)})\n`);
        });
        out.write(`${out.isTTY ? "\r\u001b[2K" : ""}${head}: ${seconds(startedAt)}\n`);
        return result;
      } catch (error) {
        out.write(`${out.isTTY ? "\r\u001b[2K" : ""}${head}: failed after ${seconds(startedAt)}\n`);
        throw error;
      } finally {
        clearInterval(ticking);
      }
    },
  };
}
