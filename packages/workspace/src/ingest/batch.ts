/** When a batch is begun: at so many messages, or so long after the first of them. */
export interface BatchPolicy {
  readonly most: number;
  readonly waitMs: number;
  /** Messages that may be stored in a second (R17); absent where nothing bounds them. */
  readonly mostPerSecond?: number;
}

/** How long to wait before the next batch begins, ms; 0 for not at all. */
export function batchWaitMs(
  waiting: number,
  firstAt: number,
  now: number,
  { most, waitMs }: BatchPolicy,
): number | undefined {
  if (waiting === 0) return undefined;
  if (waiting >= most) return 0;
  return Math.max(0, firstAt + waitMs - now);
}
