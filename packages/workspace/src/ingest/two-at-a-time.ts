/** What is done with batches, one after the other, two under way at most. */
export interface BatchWork<Batch, Result> {
  /** The next batch; `undefined` at the end. */
  next(): Promise<Batch | undefined>;
  /** Whether a batch may only begin once all before it are finished. */
  waits(batch: Batch): boolean;
  /**
   * Works on a batch, and says when the next one may begin; `undefined` where it came to nothing.
   */
  begin(batch: Batch, begun: () => void): Promise<Result | undefined>;
  /** Finishes a batch once all before it are finished. Answers whether to go on. */
  finish(batch: Batch, result: Result): Promise<boolean>;
}

/**
 * Works until the end, or until one batch could not be finished: then none after it is. Resolves
 * when nothing is under way any more.
 */
export async function twoAtATime<Batch, Result>(work: BatchWork<Batch, Result>): Promise<void> {
  let [last, lastButOne] = [Promise.resolve(true), Promise.resolve(true)];
  for (let batch = await work.next(); batch !== undefined; batch = await work.next()) {
    if (work.waits(batch)) await last;
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const result = work.begin(batch, resolve);
    [last, lastButOne] = [finished(work, batch, result, last), last];
    await Promise.race([begun, result]);
    if (!(await lastButOne)) break;
  }
  await last;
}

async function finished<Batch, Result>(
  work: BatchWork<Batch, Result>,
  batch: Batch,
  awaited: Promise<Result | undefined>,
  before: Promise<boolean>,
): Promise<boolean> {
  const result = await awaited;
  return (await before) && result !== undefined && work.finish(batch, result);
}
