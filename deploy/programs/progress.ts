/** Where progress goes: one call per line. */
export type Progress = (line: string) => void;

/** Writes to stderr, so that stdout stays free for results. */
export const stderrProgress: Progress = line => void process.stderr.write(`${line}\n`);

/**
 * Runs `work` and says so: one line at the start, one every ten seconds with the time that has
 * passed, one at the end.
 * @throws whatever `work` throws, after a line that says how long it had run.
 */
export async function withProgress<T>(title: string, say: Progress, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const elapsed = (): string => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
  say(`${title} …`);
  const ticker = setInterval(() => say(`${title} … ${elapsed()}`), 10_000);
  try {
    const result = await work();
    say(`${title}: done in ${elapsed()}`);
    return result;
  } catch (error) {
    say(`${title}: failed after ${elapsed()}`);
    throw error;
  } finally {
    clearInterval(ticker);
  }
}
