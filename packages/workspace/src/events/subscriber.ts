import type { Offset } from "@skep/core/workspace/offset.ts";
import { compareOffsets } from "@skep/core/workspace/offset.ts";
import type { Socket } from "socket.io";
import { socketAllowances, type Allowance, type SocketAllowances } from "./allowance.ts";
import { framesOf, type Frame } from "./encode.ts";
import { offsetText, type EventLog, type LogEntry } from "./event-log.ts";
import { createFilterIndex, type FilterIndex } from "./filter-index.ts";
import type { Grant } from "./token.ts";
import { createWire, type QueueSize } from "./wire.ts";

/** Why a socket was not told something: its own slowness, a limit, or that it is no longer kept. */
export type LossReason = "slow" | "limit" | "gap";

/** What a socket is told of what it was not told, under the name `lost`. */
export interface Loss {
  readonly because: LossReason;
  /** How many; absent where nobody counted them, as in a gap. */
  readonly count?: number;
  /** Offsets of the first and the last one. */
  readonly from: string;
  readonly to: string;
}

/** What all subscribers of a workspace share. */
export interface Surroundings {
  readonly log: EventLog;
  readonly queue: QueueSize;
  /** What all sockets together may be told. */
  readonly total: Allowance;
  readonly counts: { delivered: number; dropped: number };
}

/** One socket: what it asked for, what it may be told, and what it missed. */
export interface Subscriber {
  readonly socket: Socket;
  readonly grant: Grant;
  readonly address: string;
  readonly filters: Set<string>;
  readonly allowances: SocketAllowances;
  /** Tells it a new event, once, or counts that it was not told. */
  tell(entry: LogEntry, frames: () => readonly Frame[], now: number): void;
  /** Begins to tell it what came after an offset and means one of the filters; live ones wait. */
  catchUp(from: Offset, filters: readonly string[]): void;
  /** Tells it more of that; answers whether more is left. */
  goOn(now: number): boolean;
  /** Whether it reads what it is sent: more can be sent to it now. */
  hasRoom(): boolean;
  /** Notes that nobody knows what came up to the offset. */
  miss(upTo: Offset): void;
  /** Says what it missed since the last time. */
  tellLosses(): void;
}

/** Entries looked at in one turn of one socket, so that all others have theirs. */
const PIECE = 500;

interface CatchUp {
  cursor: Offset;
  /** Up to here what was asked for, which others got live; after it everything of the socket. */
  readonly until: Offset;
  readonly asked: FilterIndex<true>;
}

/** Makes one that asked for nothing yet. */
export function createSubscriber(
  around: Surroundings,
  who: Pick<Subscriber, "socket" | "grant" | "address">,
  events: number,
  now: number,
): Subscriber {
  const { log, counts } = around;
  const wire = createWire(who.socket, around.queue);
  const allowances = socketAllowances(events, now);
  const filters = new Set<string>();
  const losses = new Map<LossReason, { count: number; from: Offset; to: Offset }>();
  let lastTold: Offset | undefined;
  let past: CatchUp | undefined;

  function lose(because: LossReason, from: Offset, to: Offset, count: number): void {
    counts.dropped += count;
    const before = losses.get(because);
    losses.set(because, { count: (before?.count ?? 0) + count, from: before?.from ?? from, to });
  }

  function goOn(now: number): boolean {
    if (past === undefined) return false;
    if (!log.has(past.cursor)) {
      lose("gap", past.cursor, log.last, 0);
      past = undefined;
      return false;
    }
    const mine = indexOf(filters);
    const entries = log.after(past.cursor, PIECE);
    for (const entry of entries) {
      const index = compareOffsets(entry.offset, past.until) <= 0 ? past.asked : mine;
      if (isMeant(index, entry.topic)) {
        if (!wire.hasRoom() || !allowances.retold.take(now)) return true;
        wire.send(framesOf(entry));
        counts.delivered += 1;
      }
      past.cursor = entry.offset;
    }
    if (entries.length === PIECE) return true;
    lastTold = past.cursor;
    past = undefined;
    return false;
  }

  return {
    ...who,
    filters,
    allowances,
    tell: (entry, frames, now) => {
      // Filters of one socket that mean the same event are told it once.
      if (past !== undefined || lastTold === entry.offset) return;
      lastTold = entry.offset;
      if (!wire.hasRoom()) return lose("slow", entry.offset, entry.offset, 1);
      if (!allowances.told.take(now) || !around.total.take(now)) return lose("limit", entry.offset, entry.offset, 1);
      wire.send(frames());
      counts.delivered += 1;
    },
    catchUp: (from, asked) => {
      past ??= { cursor: from, until: log.last, asked: createFilterIndex() };
      // Who asks again before the end may be told some of it twice, and misses nothing.
      if (compareOffsets(from, past.cursor) < 0) past.cursor = from;
      for (const filter of asked) past.asked.add(filter, true);
    },
    goOn,
    miss: upTo => {
      if (filters.size > 0) lose("gap", lastTold ?? upTo, upTo, 0);
    },
    hasRoom: () => wire.hasRoom(),
    tellLosses: () => {
      if (losses.size === 0 || !wire.hasRoom()) return;
      for (const [because, { count, from, to }] of losses) {
        const range = { from: offsetText(from), to: offsetText(to) };
        const loss: Loss = because === "gap" ? { because, ...range } : { because, count, ...range };
        who.socket.emit("lost", loss);
      }
      losses.clear();
    },
  };
}

function indexOf(filters: Iterable<string>): FilterIndex<true> {
  const index = createFilterIndex<true>();
  for (const filter of filters) index.add(filter, true);
  return index;
}

function isMeant(index: FilterIndex<true>, topic: string): boolean {
  let is = false;
  index.visit(topic, () => (is = true));
  return is;
}
