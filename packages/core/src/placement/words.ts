/** Thousandths of a core as people say it: `0.5 cores`. */
export function cores(cpuMillis: number): string {
  return `${Math.round(cpuMillis) / 1000} cores`;
}

/** Bytes as people say it: `512 MiB`, whole. */
export function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1_048_576)} MiB`;
}

/** Bytes as people say it: `12 KiB`, rounded up. */
export function kibibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}

/** A count with its noun: `1 node`, `3 nodes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The form of a word that goes with a count. */
export function verb(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}

/** A share between 0 and 1 in whole hundredths: 42. */
export function percent(share: number): number {
  return Math.round(share * 100);
}

/** How many sentences are remembered at most, and the second number that is told apart. */
const [MOST_SHARED, MOST_SECOND] = [10_000, 1_000_000];

/**
 * Makes a sentence about two whole numbers, and the same string for the same numbers again: a batch
 * tells thousands the same, and their strings were a quarter of all that it allocates.
 */
export function shared(make: (first: number, second: number) => string): typeof make {
  const known = new Map<number, string>();
  return (first, second) => {
    const key = first * MOST_SECOND + second;
    if (second >= MOST_SECOND || !Number.isSafeInteger(key)) return make(first, second);
    let sentence = known.get(key);
    if (sentence === undefined) {
      if (known.size >= MOST_SHARED) known.clear();
      sentence = make(first, second);
      known.set(key, sentence);
    }
    return sentence;
  };
}

/** Why a node of the control plane was taken though such nodes are avoided. */
export const ONLY_CONTROL_PLANE = "it is a node of the control plane, and no other node can take this";
