import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";

/** A message of a device that a broker was given, and that nobody has stored yet. */
export interface Held {
  readonly workspaceId: WorkspaceId;
  /** See `message-digest.ts`. */
  readonly digest: string;
  /** When it went to the broker, and when that answered. Where it waits it is noted. */
  writtenAt?: number;
  acknowledgedAt?: number | undefined;
  stored(): void;
  /** Nobody will store it: the device is to send it again. */
  lost(because: string): void;
}

/** What waits at one broker to be stored. */
export interface Waiting {
  readonly size: number;
  add(one: Held): void;
  /** The broker has acknowledged it. */
  acknowledged(one: Held): void;
  remove(one: Held): void;
  has(one: Held): boolean;
  /** A host has stored messages, in this order. */
  stored(workspaceId: WorkspaceId, digests: readonly string[]): void;
  /** A session of the workspace has begun: nobody has what came before. */
  begun(workspaceId: WorkspaceId): void;
  /** Says what waits for long; to be called each second. */
  look(): void;
  /** Nothing is heard of it any more. */
  close(): void;
}

/** A broker delivers in order. More than nothing, since nobody is in a hurry. */
const APART_MS = 5_000;
/** So long a workspace may take before it is said. */
const LATE_MS = 10_000;
/**
 * Nothing waits longer. Not shorter: while a database is away each device would send again what it
 * sent, and without an id of its own that is stored twice.
 */
const MOST_MS = 10 * 60_000;

const OVERTAKEN = "later messages are stored and it is not";
const BEGUN = "nobody read its workspace when the broker took it";
const UNHEARD = "nothing is heard any more of what its broker has";
const TOO_LONG = "nobody has stored it for ten minutes";

const NEVER_HEARD =
  "This gate has not heard that anything of it is stored here: do the broker's access file and the host know _skep?";

/** Makes an empty one. */
export function createWaiting(clock: Clock, log: Log): Waiting {
  return new AtBroker(clock, log);
}

class AtBroker implements Waiting {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #workspaces = new Map<WorkspaceId, OfWorkspace>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get size(): number {
    return [...this.#workspaces.values()].reduce((sum, one) => sum + one.size, 0);
  }

  add(one: Held): void {
    const { workspaceId } = one;
    const known = this.#workspaces.get(workspaceId) ?? new OfWorkspace();
    this.#workspaces.set(workspaceId, known);
    one.writtenAt = this.#now();
    known.add(one);
  }

  acknowledged(one: Held): void {
    one.acknowledgedAt = this.#now();
  }

  remove(one: Held): void {
    this.#workspaces.get(one.workspaceId)?.take(one);
  }

  has(one: Held): boolean {
    return this.#workspaces.get(one.workspaceId)?.has(one) === true;
  }

  stored(workspaceId: WorkspaceId, digests: readonly string[]): void {
    const of = this.#workspaces.get(workspaceId);
    if (of === undefined) return;
    of.isHeard = true;
    let latest = -Infinity;
    for (const digest of digests) {
      const one = of.first(digest);
      if (one === undefined) continue;
      // What the broker has not acknowledged may be told of an earlier one that is alike.
      if (one.acknowledgedAt !== undefined) latest = Math.max(latest, one.writtenAt ?? -Infinity);
      of.take(one);
      one.stored();
    }
    // The broker had those before this one was on its way: an acknowledgement that is read late
    // says nothing of when it was given.
    const before = latest - APART_MS;
    this.#lose(
      workspaceId,
      of,
      of.olderThan(before).filter(one => (one.acknowledgedAt ?? Infinity) < before),
      OVERTAKEN,
    );
  }

  begun(workspaceId: WorkspaceId): void {
    const of = this.#workspaces.get(workspaceId);
    if (of !== undefined) this.#lose(workspaceId, of, of.all(), BEGUN);
  }

  look(): void {
    const now = this.#now();
    for (const [workspaceId, of] of this.#workspaces) {
      this.#sayHowLate(workspaceId, of, now);
      this.#lose(workspaceId, of, of.olderThan(now - MOST_MS), TOO_LONG);
    }
  }

  close(): void {
    for (const [workspaceId, of] of this.#workspaces) this.#lose(workspaceId, of, of.all(), UNHEARD);
  }

  /** Whole, since a number with a fraction takes more memory. */
  #now(): number {
    return Math.floor(this.#clock.monotonic());
  }

  #lose(workspaceId: WorkspaceId, of: OfWorkspace, all: readonly Held[], because: string): void {
    if (all.length === 0) return;
    const says = `Devices of ${workspaceId} are to send again: ${because}.`;
    this.#log.warn("gate.lost", says, { messages: all.length });
    // The end of a connection takes out whatever else it has here.
    for (const one of all) if (of.take(one)) one.lost(because);
  }

  #sayHowLate(workspaceId: WorkspaceId, of: OfWorkspace, now: number): void {
    const isLate = of.olderThan(now - LATE_MS).length > 0;
    if (isLate === of.isLate) return;
    of.isLate = isLate;
    const messages = of.size;
    const never = of.isHeard ? "" : ` ${NEVER_HEARD}`;
    if (isLate)
      this.#log.warn("gate.waits", `Devices of ${workspaceId} wait: nobody stores what they send.${never}`, {
        messages,
      });
    else this.#log.info("gate.goes-on", `What devices of ${workspaceId} send is stored again.`, { messages });
  }
}

class OfWorkspace {
  isLate = false;
  /** Whether anything was told of it. */
  isHeard = false;
  /** In the order in which they went to the broker. */
  readonly #all = new Set<Held>();
  /** Each of two that are alike is stored, and each is told. Few have one that is alike. */
  readonly #byDigest = new Map<string, Held | Held[]>();

  get size(): number {
    return this.#all.size;
  }

  add(one: Held): void {
    const alike = this.#byDigest.get(one.digest);
    if (alike === undefined) this.#byDigest.set(one.digest, one);
    else if (Array.isArray(alike)) alike.push(one);
    else this.#byDigest.set(one.digest, [alike, one]);
    this.#all.add(one);
  }

  has(one: Held): boolean {
    return this.#all.has(one);
  }

  /** Answers whether it was there. */
  take(one: Held): boolean {
    if (!this.#all.delete(one)) return false;
    const alike = this.#byDigest.get(one.digest);
    if (Array.isArray(alike) && alike.length > 1) alike.splice(alike.indexOf(one), 1);
    else this.#byDigest.delete(one.digest);
    return true;
  }

  first(digest: string): Held | undefined {
    const alike = this.#byDigest.get(digest);
    return Array.isArray(alike) ? alike[0] : alike;
  }

  all(): readonly Held[] {
    return [...this.#all];
  }

  /** Those that went to the broker before a time. */
  olderThan(time: number): readonly Held[] {
    const older: Held[] = [];
    for (const one of this.#all) {
      if ((one.writtenAt ?? 0) >= time) break;
      older.push(one);
    }
    return older;
  }
}
