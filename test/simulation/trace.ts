/** What happened in one run: every line goes into a hash, the last ones are kept for people. */
export interface Trace {
  add(at: number, line: string): void;
  /** Sixteen hexadecimal digits over every line so far, times included. */
  hash(): string;
  count(): number;
  /** The latest lines, oldest first, each with its virtual time in seconds. */
  last(lines: number): readonly string[];
}

const KEPT = 4_000;

/**
 * Makes an empty trace; times are ms since `startAt`. `echo` gets each line at once, for the replay
 * of one seed.
 */
export function createTrace(startAt: number, echo?: (line: string) => void): Trace {
  const kept: { readonly at: number; readonly line: string }[] = [];
  let [high, low, count] = [0x811c9dc5, 0x01000193, 0];

  function mix(text: string): void {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ (code + (high >>> 15)), 0x85ebca6b);
    }
  }

  const stamped = (at: number, line: string): string => `${((at - startAt) / 1000).toFixed(3).padStart(8)}  ${line}`;

  return {
    add: (at, line) => {
      // Piece by piece: putting a long line behind its time would copy it.
      mix(String(at));
      mix(" ");
      mix(line);
      if (kept.length >= 2 * KEPT) kept.splice(0, KEPT);
      kept.push({ at, line });
      count++;
      echo?.(stamped(at, line));
    },
    hash: () => [high, low].map(word => (word >>> 0).toString(16).padStart(8, "0")).join(""),
    count: () => count,
    last: lines => kept.slice(-lines).map(({ at, line }) => stamped(at, line)),
  };
}
