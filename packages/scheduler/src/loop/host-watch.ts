import type { Host, HostId } from "@skep/core/workspace/host.ts";
import type { HostLiveness } from "@skep/core/workspace/plan-hosting.ts";
import type { HostLeases } from "../store/hosting-store.ts";

/** How long a host may read by one answer, in ms, counted by the host from when it asked. */
export const HOLD_MS = 2_000;
/** Silence that makes a host suspect: it gets nothing new. */
export const SUSPECT_AFTER_MS = 1_500;
/**
 * Silence after which a host surely reads nothing. The lease that this leader saw was counted
 * before it saw it, so what it granted has ended after `HOLD_MS`. The rest is for one more lease
 * that the records may have lost in a failover of the database, a second after the one before, and
 * for what was on its way.
 */
export const DOWN_AFTER_MS = HOLD_MS + 1_500;

/** What one leader has itself seen of the hosts; it takes over nothing from another one. */
export interface HostWatch {
  /** Takes what the records say at present, and answers what each host is taken to be. */
  see(hosts: readonly HostLeases[]): HostLiveness;
  /** Whether any host is known. */
  knowsAny(): boolean;
  /** When the next silence passes a bound, in ms from now, if no lease ends it. */
  nextMs(): number | undefined;
}

interface Seen {
  renewals: number;
  sinceMs: number;
}

/**
 * Measures the silence of hosts by the leases that any scheduler gave them, in the time that this
 * process was awake. A host whose count of leases changed, in whichever direction, is not silent.
 * While nobody is heard nobody is down: no host could take anything, and more likely it is the way
 * to all of them that failed. When the first one is heard again, the silence of the others begins
 * anew, so that not all goes to whoever comes first.
 */
export function createHostWatch(awakeMs: () => number): HostWatch {
  const known = new Map<HostId, Seen>();
  let isDeaf = false;

  const silentMs = ({ sinceMs }: Seen): number => awakeMs() - sinceMs;
  const judge = (seen: Seen): Host["liveness"] => {
    if (silentMs(seen) < SUSPECT_AFTER_MS) return "ready";
    return silentMs(seen) < DOWN_AFTER_MS || isDeaf ? "suspect" : "down";
  };

  return {
    see: hosts => {
      const present = new Set(hosts.map(one => one.id));
      for (const id of known.keys()) if (!present.has(id)) known.delete(id);
      for (const { id, renewals } of hosts) {
        if (known.get(id)?.renewals !== renewals) known.set(id, { renewals, sinceMs: awakeMs() });
      }
      const wasDeaf = isDeaf;
      isDeaf = known.size > 0 && [...known.values()].every(one => silentMs(one) >= SUSPECT_AFTER_MS);
      if (wasDeaf && !isDeaf) {
        for (const one of known.values())
          if (silentMs(one) >= SUSPECT_AFTER_MS) one.sinceMs = awakeMs() - SUSPECT_AFTER_MS;
      }
      return new Map([...known].map(([id, seen]) => [id, judge(seen)]));
    },
    knowsAny: () => known.size > 0,
    nextMs: () => {
      const left = [...known.values()].flatMap(one =>
        [SUSPECT_AFTER_MS, DOWN_AFTER_MS].map(bound => bound - silentMs(one)).filter(ms => ms > 0),
      );
      return left.length === 0 ? undefined : Math.min(...left);
    },
  };
}
