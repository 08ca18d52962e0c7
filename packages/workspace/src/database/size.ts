import { SkepError } from "@skep/core/error.ts";
import type { Clock } from "@skep/kit/clock.ts";

/** What a database weighs, as its server says. */
export interface Weight {
  /** Documents as they are written, and their indexes: what shrinks as soon as some are deleted. */
  readonly bytes: number;
  readonly documents: number;
}

/** Keeps a database below its size (R86). */
export interface SizeLimit {
  /** @throws SkepError `resource_exhausted` `DATABASE_FULL` where it takes no more. */
  check(): Promise<void>;
  /** Tells that documents were stored, so that the weight is known between two measurements. */
  grew(documents: number): void;
  setLimit(megabytes: number): void;
  /** The weight as far as it is known, and the limit, in bytes. */
  state(): { readonly bytes: number; readonly limit: number; readonly isFull: boolean };
}

const MEGABYTE = 1024 * 1024;
/** A measurement is good for this long, and what is stored since is added to it. */
const FRESH_MS = 10_000;
/** A full database is measured this often: what is deleted makes room within this time. */
const FULL_MS = 2_000;
/** What a document counts for before there are any. */
const GUESSED_BYTES = 500;

/**
 * A limit by what `measure` says. It is asked before a write when its last answer is old, when the
 * documents are twice as many since, and when what was stored since would reach the limit.
 */
export function createSizeLimit(measure: () => Promise<Weight>, megabytes: number, clock: Clock): SizeLimit {
  let limit = megabytes * MEGABYTE;
  let weight: Weight | undefined;
  let measuredAt = -Infinity;
  let added = 0;
  let measuring: Promise<void> | undefined;

  const estimate = (): number => {
    if (weight === undefined) return 0;
    const each = weight.documents === 0 ? GUESSED_BYTES : weight.bytes / weight.documents;
    return weight.bytes + added * each;
  };

  const isStale = (): boolean => {
    if (weight === undefined) return true;
    const isPast = estimate() >= limit;
    if (clock.monotonic() - measuredAt >= (isPast ? FULL_MS : FRESH_MS)) return true;
    return added > 0 && (isPast || added >= weight.documents);
  };

  async function measureNow(): Promise<void> {
    const before = added;
    weight = await measure();
    measuredAt = clock.monotonic();
    added -= before;
  }

  /** Writers that come at once wait for one measurement. */
  function measureOnce(): Promise<void> {
    measuring ??= measureNow().finally(() => (measuring = undefined));
    return measuring;
  }

  return {
    async check() {
      if (isStale()) await measureOnce();
      if (estimate() >= limit) throw full(estimate(), limit);
    },
    grew: documents => void (added += documents),
    setLimit: next => void (limit = next * MEGABYTE),
    state: () => ({ bytes: Math.round(estimate()), limit, isFull: weight !== undefined && estimate() >= limit }),
  };
}

function full(bytes: number, limit: number): SkepError {
  const has = (bytes / MEGABYTE).toFixed(1);
  return new SkepError(
    "resource_exhausted",
    "DATABASE_FULL",
    `The database has ${has} MB of ${Math.floor(limit / MEGABYTE)} MB and takes no more, reading goes on. ` +
      `Delete what is not needed, or raise config.resources.specs.database.size.`,
    { details: { bytes: String(Math.round(bytes)), limitBytes: String(limit) } },
  );
}
