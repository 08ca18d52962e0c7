/** Which revisions of a node's assignment some records gave. */
export interface AssignmentLine {
  readonly revision: number;
  /** Stamps of the latest revisions; the last one is of `revision`. */
  readonly stamps: readonly number[];
}

/**
 * So many stamps are kept of a node. A node that missed more revisions than this is judged by
 * numbers alone.
 */
export const STAMPS_KEPT = 64;

/** The stamp of the line's own revision; absent where it has none. */
export function stampOf({ stamps }: Pick<AssignmentLine, "stamps">): { readonly stamp?: number } {
  const stamp = stamps.at(-1);
  return stamp === undefined ? {} : { stamp };
}

/** The stamps after one more revision. */
export function withStamp(stamps: readonly number[], stamp: number): readonly number[] {
  return [...stamps, stamp].slice(-STAMPS_KEPT);
}

/**
 * Whether the records that gave this line may have given that revision too. Each raise of a
 * revision draws a stamp, so two copies of the records that both count up to a number have other
 * stamps for it. What came without a stamp, or is older than the stamps that are kept, is believed.
 */
export function mayHaveGiven(
  { revision, stamps }: AssignmentLine,
  held: { readonly revision: number; readonly stamp?: number },
): boolean {
  const given = stamps[stamps.length - 1 - (revision - held.revision)];
  return held.stamp === undefined || given === undefined || given === held.stamp;
}
