import { compareOffsets, formatOffset, offsetBefore, parseOffset, type Offset } from "@skep/core/workspace/offset.ts";
import { systemClock, type Clock } from "@skep/kit/clock.ts";
import { Redis } from "ioredis";
import type { LogEntry } from "./event-log.ts";
import { entriesOf, fieldsOf, hear, HOLE, idOf, isTooOld, MARKER, type Item } from "./redis-entry.ts";
import { redisSessions } from "./redis-sessions.ts";
import type { SharedEvents, SharedWorkspace, Sharing } from "./sharing.ts";

/** Where the Redis is that all replicas share. */
export interface RedisSharingOptions {
  /** It may hold a password, and is never shown. */
  readonly url: string;
  /** Events that are kept there of each workspace. */
  readonly events?: number;
  readonly clock?: Clock;
}

const MOST_EVENTS = 10_000;
/** A workspace without an event for so long leaves nothing behind. */
const EXPIRES_MS = 3_600_000;
/** Longest that a read waits; a workspace that was just opened takes part in the next one. */
const BLOCK_MS = 250;
const AT_ONCE = 500;
const RETRY_MS = 500;
/** How long a workspace that closes waits for its last events to be handed on. */
const LEAVE_MS = 1_000;
/** Whoever emitted this lately is the one that emits, and need not read its own events back. */
const EMITS_FOR_MS = 1_000;

/** One workspace whose events are read. */
interface Followed {
  readonly key: string;
  readonly events: SharedEvents;
  cursor: Offset;
  emittedAt: number;
  /** What is yet to be handed on, bounded like the stream. */
  readonly waiting: LogEntry[];
  isPushing: boolean;
  /** Whether some of it was given up, which the others have to be told. */
  hasHole: boolean;
  unshared: number;
  /** Whether what is there was read, which it cannot be while Redis is away. */
  isLoaded: boolean;
}

/**
 * Shares events through Redis, one stream for each workspace: a busy one takes nothing from what is
 * kept of the others. The offset of an event is its id there. Whoever emits does not wait for
 * Redis, and its own sockets do not notice when that is away.
 */
export function createRedisSharing(options: RedisSharingOptions): Sharing {
  return new RedisSharing(options);
}

function follow(key: string, events: SharedEvents): Followed {
  const none = { waiting: [], isPushing: false, hasHole: false, unshared: 0, isLoaded: false };
  return { key, events, cursor: events.last(), emittedAt: -Infinity, ...none };
}

class RedisSharing implements Sharing {
  readonly #commands: Redis;
  readonly #reader: Redis;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #followed = new Set<Followed>();
  readonly #reading: Promise<void>;
  #isClosed = false;
  #problem = "";

  constructor({ url, events, clock }: RedisSharingOptions) {
    this.#clock = clock ?? systemClock;
    this.#most = events ?? MOST_EVENTS;
    const shared = {
      protocol: 2 as const,
      // What cannot be done now is not true any more when Redis comes back.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 2_000,
      retryStrategy: (attempt: number) => Math.min(2_000, attempt * 100),
    };
    this.#commands = new Redis(url, { ...shared, commandTimeout: 2_000 });
    this.#reader = new Redis(url, shared);
    for (const redis of [this.#commands, this.#reader]) {
      redis.on("error", (error: Error) => this.#fail(error));
      redis.on("ready", () => (this.#problem = ""));
    }
    this.#reading = this.#read();
  }

  async open(workspaceId: string, events: SharedEvents): Promise<SharedWorkspace> {
    const key = `skep:events:${workspaceId}`;
    const one = follow(key, events);
    await this.#isReady();
    await this.#load(one).catch((error: unknown) => this.#fail(error));
    this.#followed.add(one);
    return {
      publish: entries => this.#publish(one, entries),
      sessions: redisSessions(this.#commands, `${key}:session:`),
      unshared: () => one.unshared,
      close: () => this.#leave(one),
    };
  }

  problem(): string {
    return this.#problem;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#commands.disconnect();
    this.#reader.disconnect();
    await this.#reading;
  }

  /** Waits a moment for the first connection; a workspace opens without Redis too. */
  async #isReady(): Promise<void> {
    const until = this.#clock.monotonic() + 2_000;
    while (this.#commands.status !== "ready" && this.#problem === "" && this.#clock.monotonic() < until) {
      await this.#clock.sleep(10);
    }
  }

  /** Hears what is there, and begins the stream where nothing is. */
  async #load(one: Followed): Promise<void> {
    const items = (await this.#commands.xrevrangeBuffer(one.key, "+", "-", "COUNT", this.#most)).toReversed();
    const [first] = items;
    const begin = first === undefined ? await this.#begin(one.key) : idOf(first);
    one.events.begin(begin);
    one.events.heard(entriesOf(items));
    one.cursor = items.length === 0 ? begin : idOf(items.at(-1) ?? items[0]!);
    one.isLoaded = true;
  }

  /** Puts a marker at the front, so that all replicas begin at the same offset. */
  async #begin(key: string): Promise<Offset> {
    const id = await this.#commands.xadd(key, "*", MARKER, "");
    await this.#commands.pexpire(key, EXPIRES_MS);
    return parseOffset(id ?? "") ?? { ms: 0, seq: 0 };
  }

  /** Hands on what still waits, unless that takes long; the rest counts as not shared. */
  async #leave(one: Followed): Promise<void> {
    const until = this.#clock.monotonic() + LEAVE_MS;
    while (one.waiting.length > 0 && this.#problem === "" && this.#clock.monotonic() < until)
      await this.#clock.sleep(5);
    this.#followed.delete(one);
    one.unshared += one.waiting.length;
  }

  /** What cannot be handed on now is handed on when Redis is back, as far as it is kept. */
  #publish(one: Followed, entries: readonly LogEntry[]): void {
    one.waiting.push(...entries);
    const over = one.waiting.length - this.#most;
    if (over > 0) {
      one.waiting.splice(0, over);
      one.unshared += over;
      one.hasHole = true;
    }
    if (!one.isPushing) void this.#push(one);
  }

  async #push(one: Followed): Promise<void> {
    one.isPushing = true;
    while (one.waiting.length > 0 && this.#followed.has(one) && !this.#isClosed) {
      one.emittedAt = this.#clock.monotonic();
      try {
        await this.#pushSome(one);
        this.#problem = "";
      } catch (error) {
        this.#fail(error);
        await this.#clock.sleep(RETRY_MS);
      }
    }
    one.isPushing = false;
  }

  /** @throws what Redis or the way there says, and then all of it still waits. */
  async #pushSome(one: Followed): Promise<void> {
    const [first] = one.waiting;
    if (first === undefined) return;
    const entries = one.waiting.slice(0, AT_ONCE);
    const pipeline = this.#commands.pipeline();
    if (one.hasHole) pipeline.xadd(one.key, formatOffset(offsetBefore(first.offset)), HOLE, "");
    for (const entry of entries) {
      pipeline.xadd(one.key, "MAXLEN", "~", this.#most, formatOffset(entry.offset), ...fieldsOf(entry));
    }
    pipeline.pexpire(one.key, EXPIRES_MS);
    const errors = ((await pipeline.exec()) ?? []).flatMap(([error]) => (error === null ? [] : [error]));
    const other = errors.find(error => !isTooOld(error));
    if (other !== undefined) throw other;
    one.waiting.splice(0, one.waiting.indexOf(entries.at(-1) ?? first) + 1);
    one.hasHole = false;
    one.cursor = entries.at(-1)?.offset ?? one.cursor;
    one.unshared += errors.length;
    if (errors.length > 0) await this.#goOnAfterOthers(one);
  }

  /** Another one emits too, or did with a clock that is ahead: Redis refused what is older. */
  async #goOnAfterOthers(one: Followed): Promise<void> {
    const [last] = await this.#commands.xrevrangeBuffer(one.key, "+", "-", "COUNT", 1);
    one.emittedAt = -Infinity;
    if (last !== undefined) one.events.advance(idOf(last));
  }

  async #read(): Promise<void> {
    let wasAway = false;
    while (!this.#isClosed) {
      try {
        if (this.#reader.status !== "ready") throw new Error("There is no connection to Redis.");
        if (wasAway) await this.#lookForGaps();
        wasAway = false;
        await this.#readOnce();
      } catch (error) {
        if (this.#isClosed) return;
        // Before the first connection nothing was missed.
        wasAway = this.#reader.status !== "connecting" || wasAway;
        if (this.#reader.status === "ready") this.#fail(error);
        await this.#clock.sleep(RETRY_MS / 5);
      }
    }
  }

  async #readOnce(): Promise<void> {
    const now = this.#clock.monotonic();
    for (const one of this.#followed) if (!one.isLoaded) await this.#load(one);
    const silent = [...this.#followed].filter(one => now - one.emittedAt > EMITS_FOR_MS);
    if (silent.length === 0) return this.#clock.sleep(BLOCK_MS / 5);
    const keys = silent.map(one => one.key);
    const ids = silent.map(one => formatOffset(one.cursor));
    const reply = (await this.#reader.callBuffer(
      "XREAD",
      "COUNT",
      AT_ONCE,
      "BLOCK",
      BLOCK_MS,
      "STREAMS",
      ...keys,
      ...ids,
    )) as readonly [Buffer, readonly Item[]][] | null;
    for (const [key, items] of reply ?? []) {
      const one = silent.find(each => each.key === key.toString());
      const last = items.at(-1);
      if (one === undefined || last === undefined) continue;
      one.cursor = idOf(last);
      hear(one.events, items);
    }
  }

  /** Says so where events came and went while Redis could not be read. */
  async #lookForGaps(): Promise<void> {
    for (const one of this.#followed) {
      if (!one.isLoaded || this.#clock.monotonic() - one.emittedAt <= EMITS_FOR_MS) continue;
      const [first] = await this.#commands.xrangeBuffer(one.key, "-", "+", "COUNT", 1);
      if (first !== undefined && compareOffsets(idOf(first), one.cursor) <= 0) continue;
      one.cursor = first === undefined ? await this.#begin(one.key) : idOf(first);
      one.events.missed(one.cursor);
    }
  }

  /** An error of the client names the address at most, and never the password. */
  #fail(error: unknown): void {
    if (this.#isClosed) return;
    const text = error instanceof Error ? error.message : String(error);
    this.#problem = `Redis, through which replicas share events: ${text}`;
  }
}
