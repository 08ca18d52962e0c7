import { eventsBucket, fullBucket, take, type Bucket, type BucketSize } from "@skep/core/workspace/bucket.ts";

/** What somebody may still do; a bucket of core with a size that may change. */
export interface Allowance {
  /** Takes one; `false` where there is none. */
  take(now: number): boolean;
  resize(size: BucketSize): void;
}

/** Makes a full one. */
export function createAllowance(size: BucketSize, now: number): Allowance {
  let bucket: Bucket = fullBucket(size, now);
  return {
    take: at => {
      const next = take(bucket, size, at);
      if (next !== undefined) bucket = next;
      return next !== undefined;
    },
    resize: next => void (size = next),
  };
}

/** How much faster than live a socket is told what it missed, so that it catches up. */
const CATCH_UP = 10;

/** What one socket may do. */
export interface SocketAllowances {
  /** Events that it sends. */
  readonly sent: Allowance;
  /** Events that it is told. */
  readonly told: Allowance;
  /** Events of the past that it is told. */
  readonly retold: Allowance;
  /** How often it may ask for the past. */
  readonly replays: Allowance;
}

/** How often a socket may ask for the past. */
export const REPLAYS: BucketSize = { perSecond: 1, burst: 5 };

/** Those of a socket in a workspace that allows so many events a second of each. */
export function socketAllowances(events: number, now: number): SocketAllowances {
  return {
    sent: createAllowance(eventsBucket(events), now),
    told: createAllowance(eventsBucket(events), now),
    retold: createAllowance(eventsBucket(events * CATCH_UP), now),
    replays: createAllowance(REPLAYS, now),
  };
}

/** Changes them to another number of events a second. */
export function resizeAllowances({ sent, told, retold }: SocketAllowances, events: number): void {
  sent.resize(eventsBucket(events));
  told.resize(eventsBucket(events));
  retold.resize(eventsBucket(events * CATCH_UP));
}
