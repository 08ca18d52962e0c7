import { fullBucket, take, type Bucket, type BucketSize } from "@skep/core/workspace/bucket.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { addressKey } from "@skep/kit/connections.ts";
import type { Bans } from "./bans.ts";

/** What stands before a connection is made at all, whatever workspace it is for (R122). */
export interface Door {
  /** Why the address may not connect now; `undefined` where it may. */
  refuse(address: string): string | undefined;
}

/** All sockets of a full workspace may come back at once from behind one address. */
export const ATTEMPTS: BucketSize = { perSecond: 50, burst: 500 };

/** Addresses that have a bucket of their own at once. */
const MOST_ADDRESSES = 10_000;

/** Makes one. */
export function createDoor(clock: Clock, bans: Bans, size: BucketSize = ATTEMPTS, most = MOST_ADDRESSES): Door {
  /** Who came last stands last. */
  const buckets = new Map<string, Bucket>();
  const offendedAt = new Map<string, number>();

  function isTooFast(key: string, now: number): boolean {
    const known = buckets.get(key);
    const next = take(known ?? fullBucket(size, now), size, now);
    buckets.delete(key);
    buckets.set(key, next ?? known ?? fullBucket(size, now));
    for (const [oldest] of buckets) {
      if (buckets.size <= most) break;
      buckets.delete(oldest);
    }
    return next === undefined;
  }

  return {
    refuse: address => {
      const now = clock.monotonic();
      if (bans.bannedUntil(address) > 0) return "Your address is kept out for a while.";
      const key = addressKey(address);
      if (!isTooFast(key, now)) return undefined;
      // A storm of honest clients is over in seconds; one offence for each of them.
      if (now - (offendedAt.get(key) ?? -Infinity) >= 1_000) {
        if (offendedAt.size >= most) offendedAt.clear();
        offendedAt.set(key, now);
        bans.offend(address);
      }
      return `More than ${size.perSecond} connections a second: wait and try again.`;
    },
  };
}
