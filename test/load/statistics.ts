/** Median of the samples. @throws RangeError where there are none. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/**
 * The value below which the share `q` (0 to 1) of the samples lies, interpolated between
 * neighbours.
 * @throws RangeError where there are no samples: a measurement that saw nothing has no result.
 */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new RangeError("there are no samples to take a quantile of");
  return below + (above - below) * (at - Math.floor(at));
}

/** Which way is good: high for a rate, low for a time. */
export type Better = "higher" | "lower";

/** The worst of the samples. @throws RangeError where there are none. */
export function worst(samples: readonly number[], better: Better): number {
  return quantile(samples, better === "higher" ? 0 : 1);
}
