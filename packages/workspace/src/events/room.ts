import type { ResourceLimits } from "@skep/core/workspace/connector.ts";
import { compareOffsets, type Offset } from "@skep/core/workspace/offset.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Socket } from "socket.io";
import { createAllowance, resizeAllowances, type Allowance } from "./allowance.ts";
import { countRefusal, createCounts } from "./counts.ts";
import { framesOf, type Frame } from "./encode.ts";
import { createEventLog, type EventLog, type LogEntry, type LogSize } from "./event-log.ts";
import { createFilterIndex } from "./filter-index.ts";
import { listen } from "./listen.ts";
import { overLimit, Refusal } from "./refusal.ts";
import { Subscriber } from "./subscriber.ts";
import type { Grant } from "./token.ts";
import type { QueueSize } from "./wire.ts";

/** What a room stands on. */
export interface RoomOptions {
  readonly clock: Clock;
  readonly log: LogSize;
  readonly queue: QueueSize;
  readonly limits: ResourceLimits;
  readonly addressOf: (socket: Socket) => string;
  /** Ends a socket, and its connection where no other workspace uses it. */
  readonly end: (socket: Socket) => void;
  /**
   * Told once for each second in which a socket sends more than it may; answers whether its address
   * is kept out now.
   */
  readonly flood: (address: string) => boolean;
}

const SWEEP_MS = 250;
const CATCH_UP_MS = 20;

/** The sockets of one workspace, and the events that they are told. */
export class Room {
  readonly counts = createCounts();
  readonly log: EventLog;
  readonly subscribers = new Map<string, Subscriber>();
  limits: ResourceLimits;
  isClosed = false;
  readonly #options: RoomOptions;
  readonly #clock: Clock;
  readonly #total: Allowance;
  readonly #index = createFilterIndex<Subscriber>();
  readonly #catchingUp = new Set<Subscriber>();
  #isGoingOn = false;

  constructor(options: RoomOptions) {
    const { clock, limits } = options;
    this.#options = options;
    this.#clock = clock;
    this.limits = limits;
    this.log = createEventLog(options.log, clock.now());
    this.#total = createAllowance(totalOf(limits), clock.monotonic());
    clock.timer(SWEEP_MS, () => this.#sweep());
  }

  /** Keeps an event and tells it to whoever asked for it. */
  hear(entry: LogEntry, now: number): void {
    this.log.push(entry);
    let frames: readonly Frame[] | undefined;
    this.#index.visit(entry.topic, one => one.tell(entry, () => (frames ??= framesOf(entry)), now));
  }

  /** Hears what other replicas emitted; what is known already is not told again. */
  hearOthers(entries: readonly LogEntry[]): void {
    const now = this.#clock.monotonic();
    for (const entry of entries) if (compareOffsets(entry.offset, this.log.last) > 0) this.hear(entry, now);
  }

  /** Takes a socket in that the gate let pass. */
  take(socket: Socket, grant: Grant): void {
    const who = { socket, grant, address: this.#options.addressOf(socket) };
    const around = { log: this.log, queue: this.#options.queue, total: this.#total, counts: this.counts };
    const subscriber = new Subscriber(around, who, this.limits.events, this.#clock.monotonic());
    if (this.isClosed) return this.end(subscriber, new Refusal("WORKSPACE_CLOSED", "The workspace is closed."));
    // Several may have passed the gate at once.
    const { sockets } = this.limits;
    if (this.subscribers.size >= sockets) return this.end(subscriber, overLimit("sockets", sockets));
    this.subscribers.set(socket.id, subscriber);
    socket.once("disconnect", () => this.#leave(subscriber));
    listen(subscriber, {
      clock: this.#clock,
      log: this.log,
      counts: this.counts,
      index: this.#index,
      limits: () => this.limits,
      catchUp: one => {
        this.#catchingUp.add(one);
        this.#goOn();
      },
      flood: one => this.#flood(one),
      end: (one, refusal) => this.end(one, refusal),
    });
  }

  /** Ends a socket and says why. */
  end({ socket }: Subscriber, refusal: Refusal): void {
    countRefusal(this.counts, refusal.data.reason);
    socket.emit("refused", refusal.data);
    this.#options.end(socket);
  }

  /** Changes the limits; those who came last go where there are too many now. */
  setLimits(limits: ResourceLimits): void {
    this.limits = limits;
    this.#total.resize(totalOf(limits));
    for (const one of this.subscribers.values()) resizeAllowances(one.allowances, limits.events);
    const over = [...this.subscribers.values()].slice(limits.sockets);
    for (const one of over) this.end(one, overLimit("sockets", limits.sockets));
  }

  /** Nobody knows what came up to the offset: the past is forgotten, and sockets are told. */
  miss(upTo: Offset): void {
    this.log.advance(upTo);
    this.log.forget();
    for (const one of this.subscribers.values()) one.miss(upTo);
  }

  /** Ends all sockets; answers which ones. */
  close(): readonly Socket[] {
    this.isClosed = true;
    const ending = [...this.subscribers.values()];
    for (const one of ending) this.end(one, new Refusal("WORKSPACE_CLOSED", "The workspace is closed."));
    return ending.map(one => one.socket);
  }

  #flood(subscriber: Subscriber): void {
    if (!this.#options.flood(subscriber.address)) return;
    this.end(subscriber, new Refusal("BANNED", "You send more than you may, and are kept out for a while."));
  }

  #leave(subscriber: Subscriber): void {
    this.subscribers.delete(subscriber.socket.id);
    this.#catchingUp.delete(subscriber);
    for (const filter of subscriber.filters) this.#index.remove(filter, subscriber);
  }

  #goOn(): void {
    if (this.#isGoingOn || this.#catchingUp.size === 0 || this.isClosed) return;
    this.#isGoingOn = true;
    this.#clock.timer(CATCH_UP_MS, () => {
      this.#isGoingOn = false;
      for (const one of this.#catchingUp) if (!one.goOn(this.#clock.monotonic())) this.#catchingUp.delete(one);
      this.#goOn();
    });
  }

  #sweep(): void {
    if (this.isClosed) return;
    for (const one of this.subscribers.values()) {
      const { expiresAt } = one.grant;
      if (expiresAt !== undefined && expiresAt <= this.#clock.now()) {
        this.end(one, new Refusal("TOKEN_EXPIRED", "The token has expired: come back with a new one."));
      } else one.tellLosses();
    }
    this.#clock.timer(SWEEP_MS, () => this.#sweep());
  }
}

/** What all sockets together may do (C1). */
function totalOf({ sockets, events }: ResourceLimits): { readonly perSecond: number; readonly burst: number } {
  return { perSecond: sockets * events, burst: sockets * events };
}
