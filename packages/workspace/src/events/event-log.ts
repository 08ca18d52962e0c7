import { compareOffsets, nextOffset, parseOffset, type Offset } from "@skep/core/workspace/offset.ts";

/** One event as it goes to sockets: encoded once, whoever gets it. */
export interface LogEntry {
  readonly offset: Offset;
  readonly topic: string;
  /** The packet of Socket.IO, and the binary parts that follow it. */
  readonly packet: string;
  readonly parts: readonly Buffer[];
  readonly bytes: number;
}

/** How much of the past is kept. */
export interface LogSize {
  readonly events: number;
  readonly bytes: number;
}

/** The last events of a workspace, in memory and bounded; the oldest go first. */
export interface EventLog {
  /** Keeps an entry; its offset is larger than all before. */
  push(entry: LogEntry): void;
  /** The offset for what comes next. */
  next(now: number): Offset;
  /** The last offset that was given, whether or not its event is still kept. */
  readonly last: Offset;
  /** Lets offsets go on after one that somebody else gave. */
  advance(offset: Offset): void;
  /** Lets an empty one begin after an offset; one that has events goes on as it is. */
  begin(offset: Offset): void;
  /** Whether everything after the offset is still here. One that is yet to come is not known. */
  has(offset: Offset): boolean;
  /** Up to `most` entries after the offset, oldest first; what went before that is not told. */
  after(offset: Offset, most: number): readonly LogEntry[];
  /** Forgets all; nothing up to the last offset can be asked for any more. */
  forget(): void;
  readonly size: LogSize;
}

/** Ten thousand events: minutes of most workspaces, two seconds of the busiest. */
export const LOG_SIZE: LogSize = { events: 10_000, bytes: 8 * 1024 * 1024 };

/** Makes an empty one. Nobody has missed anything of it from `now` on. */
export function createEventLog(most: LogSize, now: number): EventLog {
  let entries: LogEntry[] = [];
  let first = 0;
  let bytes = 0;
  let last: Offset = { ms: Math.floor(now), seq: 0 };
  /** Everything after it is kept. */
  let since = last;

  function dropOldest(): void {
    const gone = entries[first];
    if (gone === undefined) return;
    since = gone.offset;
    bytes -= gone.bytes;
    first += 1;
    if (first < 1_024 || first * 2 < entries.length) return;
    entries = entries.slice(first);
    first = 0;
  }

  /** Index of the first entry after the offset. */
  function indexAfter(offset: Offset): number {
    let [low, high] = [first, entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = entries[middle];
      if (entry !== undefined && compareOffsets(entry.offset, offset) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    push: entry => {
      entries.push(entry);
      bytes += entry.bytes;
      last = entry.offset;
      while (entries.length - first > most.events || bytes > most.bytes) dropOldest();
    },
    next: at => nextOffset(last, at),
    get last() {
      return last;
    },
    advance: offset => {
      if (compareOffsets(offset, last) > 0) last = offset;
    },
    begin: offset => {
      if (entries.length > 0) return;
      last = offset;
      since = offset;
    },
    has: offset => compareOffsets(offset, since) >= 0 && compareOffsets(offset, last) <= 0,
    after: (offset, count) => {
      const from = indexAfter(offset);
      return entries.slice(from, from + count);
    },
    forget: () => {
      entries = [];
      first = 0;
      bytes = 0;
      since = last;
    },
    get size() {
      return { events: entries.length - first, bytes };
    },
  };
}

/** Reads an offset that a client gave back. */
export function readOffset(value: unknown): Offset | undefined {
  return typeof value === "string" ? parseOffset(value) : undefined;
}
