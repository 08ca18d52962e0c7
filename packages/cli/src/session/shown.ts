/**
 * How far back a broken stream is asked again: what is shown comes from many places, a little out
 * of order.
 */
const OVERLAP_MS = 10_000;
const LEAST_KEPT = 1_000;

/** What a stream has shown lately, so that a stream that is opened again shows none of it twice. */
export class Shown {
  #lately: { readonly at: number; readonly print: string }[] = [];
  #mostKept = LEAST_KEPT;
  #latestAt: number | undefined;
  #repeated = new Map<string, number>();

  /**
   * Notes an item of the time `at` (ms) that `print` tells from others; answers whether it has to
   * be shown.
   */
  isNew(at: number, print: string): boolean {
    const repeated = this.#repeated.get(print) ?? 0;
    if (repeated > 0) {
      this.#repeated.set(print, repeated - 1);
      return false;
    }
    this.#latestAt = Math.max(at, this.#latestAt ?? at);
    this.#lately.push({ at, print });
    if (this.#lately.length > this.#mostKept) this.#forget(this.#latestAt - OVERLAP_MS);
    return true;
  }

  /**
   * From when on (ms) to ask again, `undefined` when nothing was shown yet. What was shown from
   * then on is expected to come once more. Nothing before `beganAt` is asked for: how much of it to
   * show was decided when the stream began.
   */
  again(beganAt: number): number | undefined {
    if (this.#latestAt === undefined) return undefined;
    // Clocks differ: a beginning after the latest item would lose what came in between.
    const since = Math.min(this.#latestAt, Math.max(this.#latestAt - OVERLAP_MS, beganAt));
    this.#forget(this.#latestAt - OVERLAP_MS);
    this.#repeated = new Map();
    for (const { at, print } of this.#lately)
      if (at >= since) this.#repeated.set(print, (this.#repeated.get(print) ?? 0) + 1);
    return since;
  }

  #forget(before: number): void {
    this.#lately = this.#lately.filter(one => one.at >= before);
    this.#mostKept = Math.max(LEAST_KEPT, this.#lately.length * 2);
  }
}
