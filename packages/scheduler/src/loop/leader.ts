import type { PlatformIdentity } from "@skep/core/identity/platform-identity.ts";
import type { Mandate } from "../store/mandate.ts";
import type { Lease } from "../store/store.ts";
import { createLeaseWatch } from "./lease-watch.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** What begins when this process becomes the leader; it is closed when it no longer is. */
export type Leading = (leadership: Leadership) => Running;

/** One term of this process as the leader. */
export interface Leadership extends Mandate {
  /** The identity of the database that gave the lease. */
  readonly identity: PlatformIdentity;
  /**
   * Whether the lease still holds by our own clock, which began to count before the database's did.
   */
  holds(): boolean;
}

/** Takes the lease when it is free and keeps it. */
export interface Leader extends Running {
  /** The term in which this process leads right now. */
  term(): number | undefined;
}

/** What the leader loop works with. */
export interface LeaderOptions {
  /** Unique to this process, however often it is started. */
  readonly holder: string;
  /** How long the lease holds without renewal; a dead leader is followed within this time. */
  readonly ttlMs: number;
  readonly lead: Leading;
  /** Called with each answer of the database about the lease. */
  readonly onAnswer?: (lease: Lease) => void;
}

interface Held {
  readonly term: number;
  readonly incarnation: string;
  validUntil: number;
  running: Running;
  isOver: boolean;
  expire: () => void;
}

/**
 * Begins at once. The lease is renewed each third of its time; a leader that could not renew it
 * steps down by its own monotonic clock, before the database lets anybody else take it. The
 * database's clock may be set back as a leader dies: a lease that nobody has renewed for longer
 * than it lasts is then taken by the watcher's own clock. Leading is for economy: that two leaders
 * cannot both write is the store's doing.
 */
export function createLeader(ports: LoopPorts, options: LeaderOptions): Leader {
  const { store, clock, log, random, loops } = ports;
  const { holder, ttlMs } = options;
  const outage = loops.watch("leader");
  const closing = new AbortController();
  let held: Held | undefined;
  const watch = createLeaseWatch(clock, ttlMs);
  let ending: Promise<void> = Promise.resolve();

  function stepDown(because: string): void {
    if (held === undefined) return;
    const { term, running } = held;
    held.expire();
    held.isOver = true;
    held = undefined;
    log.info("leader.lost", `This scheduler no longer leads: ${because}.`, { term });
    ending = ending.then(() => endCleanly(running, log));
  }

  function hold({ term, identity }: Lease, validUntil: number): void {
    const { incarnation } = identity;
    if (held !== undefined && held.term !== term) stepDown("the lease came back under another term");
    if (held !== undefined && held.incarnation !== incarnation) stepDown("the lease is of another database");
    held ??= beginTerm(ports, options, { term, holder, identity }, validUntil);
    held.expire();
    held.validUntil = validUntil;
    held.expire = clock.timer(validUntil - clock.monotonic(), () => stepDown("the lease could not be renewed in time"));
  }

  /** One try; answers how long to wait for the next, in ms. */
  async function attempt(): Promise<number> {
    const validUntil = clock.monotonic() + ttlMs;
    const lease = await store.takeLease(holder, ttlMs, watch.stalled());
    watch.saw(lease);
    options.onAnswer?.(lease);
    outage.succeeded();
    if (closing.signal.aborted) return 0;
    if (lease.holder !== holder) {
      stepDown("another scheduler has the lease");
      return Math.min(lease.expiresInMs, ttlMs / 3) + random() * 50;
    }
    if (clock.monotonic() < validUntil) hold(lease, validUntil);
    else stepDown("the database took too long to renew the lease");
    return ttlMs / 3;
  }

  async function keepTrying(): Promise<void> {
    while (!closing.signal.aborted) {
      // What ran in the last term has to end before anything of the next one begins.
      await ending;
      const waitMs = await attempt().catch((error: unknown) => outage.failed(error));
      await clock.sleep(waitMs, closing.signal);
    }
  }

  const trying = keepTrying();
  return {
    term: () => (held !== undefined && clock.monotonic() < held.validUntil ? held.term : undefined),
    close: async () => {
      closing.abort();
      stepDown("it is stopping");
      await Promise.all([ending, trying]);
      outage.close();
      // A lease that cannot be given back ends by itself.
      await store.releaseLease(holder).catch(() => undefined);
    },
  };
}

/**
 * Of another database the term may be the same: only this very object stands for this leadership.
 */
function beginTerm(
  { clock, log }: LoopPorts,
  { lead }: LeaderOptions,
  lease: Omit<Leadership, "holds">,
  validUntil: number,
): Held {
  const { term, identity } = lease;
  const { incarnation } = identity;
  log.info("leader.gained", "This scheduler leads now.", { term, incarnation });
  const mine: Held = { term, incarnation, validUntil, running: NOTHING, isOver: false, expire: () => undefined };
  mine.running = lead({ ...lease, holds: () => !mine.isOver && clock.monotonic() < mine.validUntil });
  return mine;
}

async function endCleanly(running: Running, log: LoopPorts["log"]): Promise<void> {
  try {
    await running.close();
  } catch (error) {
    log.error("leader.unclean", "A loop of the leader could not be ended.", { error });
  }
}

const NOTHING: Running = { close: () => Promise.resolve() };
