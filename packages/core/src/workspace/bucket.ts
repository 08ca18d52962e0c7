/** How fast something may go, and how much of it at once. */
export interface BucketSize {
  /** Tokens that come back each second. */
  readonly perSecond: number;
  /** Tokens that a full bucket holds. */
  readonly burst: number;
}

/** What is left of an allowance. */
export interface Bucket {
  readonly tokens: number;
  /** When `tokens` was right, in ms of any clock that does not go back. */
  readonly at: number;
}

/** A bucket that nobody took from. */
export function fullBucket(size: BucketSize, now: number): Bucket {
  return { tokens: size.burst, at: now };
}

/** The bucket of now: what came back meanwhile is in it, up to its size. */
export function refill(bucket: Bucket, size: BucketSize, now: number): Bucket {
  const elapsed = Math.max(0, now - bucket.at);
  const tokens = Math.min(size.burst, bucket.tokens + (elapsed * size.perSecond) / 1_000);
  return { tokens, at: Math.max(now, bucket.at) };
}

/**
 * Takes `count` tokens; `undefined` where there are not as many, and then nothing is taken: what is
 * refused costs nothing, so that who waits gets its turn.
 */
export function take(bucket: Bucket, size: BucketSize, now: number, count = 1): Bucket | undefined {
  const { tokens, at } = refill(bucket, size, now);
  return tokens < count ? undefined : { tokens: tokens - count, at };
}

/** Each socket may spend its events a second at once; a limit is no fixed pace. */
export function eventsBucket(events: number): BucketSize {
  return { perSecond: events, burst: events };
}
