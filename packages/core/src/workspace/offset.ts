/**
 * Where an event stands among all events of its workspace: ms of the clock of whoever gave it, and
 * a number among those of the same ms. It has the form of an id of a Redis stream, so that one that
 * is kept there has the same offset everywhere.
 */
export interface Offset {
  readonly ms: number;
  readonly seq: number;
}

const LAST_SEQ = 999_999_999;
const FORM = /^(\d{1,16})-(\d{1,9})$/;

/** Reads `1700000000000-3`; `undefined` where it is none. */
export function parseOffset(text: string): Offset | undefined {
  const [, ms, seq] = FORM.exec(text) ?? [];
  if (ms === undefined || seq === undefined || Number(ms) > Number.MAX_SAFE_INTEGER) return undefined;
  return { ms: Number(ms), seq: Number(seq) };
}

/** The text that sockets are given and give back. */
export function formatOffset({ ms, seq }: Offset): string {
  return `${ms}-${seq}`;
}

/** Less than 0 where `a` is earlier, 0 where they are the same. */
export function compareOffsets(a: Offset, b: Offset): number {
  return a.ms === b.ms ? a.seq - b.seq : a.ms - b.ms;
}

/** The offset just before; what comes after that begins with this one. */
export function offsetBefore({ ms, seq }: Offset): Offset {
  return seq > 0 ? { ms, seq: seq - 1 } : { ms: Math.max(0, ms - 1), seq: LAST_SEQ };
}

/** The offset after `last`, which grows even where the clock stands still or goes back. */
export function nextOffset(last: Offset, now: number): Offset {
  return now > last.ms ? { ms: Math.floor(now), seq: 0 } : { ms: last.ms, seq: last.seq + 1 };
}
