import { compareOffsets, formatOffset, offsetBefore, type Offset } from "@skep/core/workspace/offset.ts";
import type { Socket } from "socket.io";
import { socketAllowances, type Allowance, type SocketAllowances } from "./allowance.ts";
import { framesOf, type Frame } from "./encode.ts";
import type { EventLog, LogEntry } from "./event-log.ts";
import { createFilterIndex, type FilterIndex } from "./filter-index.ts";
import type { Grant } from "./token.ts";
import { createWire, type QueueSize, type Wire } from "./wire.ts";

/** Why a socket was not told something: its own slowness, a limit, or that it is no longer kept. */
export type LossReason = "slow" | "limit" | "gap";

/** What a socket is told of what it was not told, under the name `lost`. */
export interface Loss {
  readonly because: LossReason;
  /** How many; absent where nobody counted them, as in a gap. */
  readonly count?: number;
  /** What to ask with as `from` to be told them after all, while they are kept. */
  readonly from: string;
  /** The offset of the last one. */
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

/** Whose socket it is. */
export interface SubscriberIdentity {
  readonly socket: Socket;
  readonly grant: Grant;
  readonly address: string;
}

/** Entries looked at in one turn of one socket, so that all others have theirs. */
const PIECE = 500;

interface CatchUp {
  cursor: Offset;
  /** Up to here what was asked for, which others got live; after it everything of the socket. */
  readonly until: Offset;
  readonly asked: FilterIndex<true>;
}

/** One socket: what it asked for, what it may be told, and what it missed. */
export class Subscriber {
  readonly socket: Socket;
  readonly grant: Grant;
  readonly address: string;
  readonly filters = new Set<string>();
  readonly allowances: SocketAllowances;
  readonly #around: Surroundings;
  readonly #wire: Wire;
  readonly #losses = new Map<LossReason, { count: number; from: Offset; to: Offset }>();
  #lastTold: Offset | undefined;
  #past: CatchUp | undefined;

  /** One that asked for nothing yet, in a workspace that allows so many events a second of each. */
  constructor(around: Surroundings, who: SubscriberIdentity, events: number, now: number) {
    this.socket = who.socket;
    this.grant = who.grant;
    this.address = who.address;
    this.#around = around;
    this.#wire = createWire(who.socket, around.queue);
    this.allowances = socketAllowances(events, now);
  }

  /** Whether it reads what it is sent: more can be sent to it now. */
  hasRoom(): boolean {
    return this.#wire.hasRoom();
  }

  /** Tells it a new event, or counts that it was not told; once, however many filters mean it. */
  tell(entry: LogEntry, frames: () => readonly Frame[], now: number): void {
    const { offset } = entry;
    if (this.#past !== undefined || this.#lastTold === offset) return;
    this.#lastTold = offset;
    if (!this.#wire.hasRoom()) return this.#lose("slow", offsetBefore(offset), offset, 1);
    if (!this.allowances.told.take(now) || !this.#around.total.take(now)) {
      return this.#lose("limit", offsetBefore(offset), offset, 1);
    }
    this.#wire.send(frames());
    this.#around.counts.delivered += 1;
  }

  /** Begins to tell it what came after an offset and means one of the filters; live ones wait. */
  catchUp(from: Offset, filters: readonly string[]): void {
    this.#past ??= { cursor: from, until: this.#around.log.last, asked: createFilterIndex() };
    // Who asks again before the end may be told some of it twice, and misses nothing.
    if (compareOffsets(from, this.#past.cursor) < 0) this.#past.cursor = from;
    for (const filter of filters) this.#past.asked.add(filter, true);
  }

  /** Tells it more of that; answers whether more is left. */
  goOn(now: number): boolean {
    const { log, counts } = this.#around;
    const past = this.#past;
    if (past === undefined) return false;
    if (!log.has(past.cursor)) {
      // It read too slowly, and the rest is no longer kept.
      this.#lose("gap", past.cursor, log.last, 0);
      this.#past = undefined;
      return false;
    }
    const mine = indexOf(this.filters);
    const entries = log.after(past.cursor, PIECE);
    for (const entry of entries) {
      const index = compareOffsets(entry.offset, past.until) <= 0 ? past.asked : mine;
      if (isMeant(index, entry.topic)) {
        if (!this.#wire.hasRoom() || !this.allowances.retold.take(now)) return true;
        this.#wire.send(framesOf(entry));
        counts.delivered += 1;
      }
      past.cursor = entry.offset;
    }
    if (entries.length === PIECE) return true;
    this.#lastTold = past.cursor;
    this.#past = undefined;
    return false;
  }

  /** Notes that nobody knows what came up to the offset. */
  miss(upTo: Offset): void {
    if (this.filters.size > 0) this.#lose("gap", this.#lastTold ?? upTo, upTo, 0);
  }

  /** Says what it missed since the last time. */
  tellLosses(): void {
    if (this.#losses.size === 0 || !this.#wire.hasRoom()) return;
    for (const [because, { count, from, to }] of this.#losses) {
      const range = { from: formatOffset(from), to: formatOffset(to) };
      const loss: Loss = because === "gap" ? { because, ...range } : { because, count, ...range };
      this.socket.emit("lost", loss);
    }
    this.#losses.clear();
  }

  #lose(because: LossReason, from: Offset, to: Offset, count: number): void {
    this.#around.counts.dropped += count;
    const before = this.#losses.get(because);
    this.#losses.set(because, { count: (before?.count ?? 0) + count, from: before?.from ?? from, to });
  }
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
