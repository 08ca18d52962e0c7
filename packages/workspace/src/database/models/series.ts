import { SkepError } from "@skep/core/error.ts";
import type { Collections } from "../collections.ts";
import { operationFailure } from "../failure.ts";
import { BOUNDS, MOST_RESULTS } from "../query/run.ts";
import { pathOf } from "./field.ts";

/** A field of a device over time, in parts of equal length. */
export interface SeriesQuery {
  readonly deviceId: string;
  readonly field: string;
  readonly from: Date;
  /** Not part of it any more. */
  readonly to: Date;
  /** Length of a part in ms. */
  readonly bucketMs: number;
}

/** One part of a series; parts without a number are left out. */
export interface Bucket {
  /** When it begins. */
  readonly from: Date;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly average: number;
  /** The newest. */
  readonly last: number;
}

/**
 * The numbers of a field, part by part, oldest first. What is no number does not count.
 * @throws SkepError `invalid_argument` `FIELD_INVALID` or `SERIES_INVALID`.
 */
export async function series({ messages }: Collections, query: SeriesQuery): Promise<readonly Bucket[]> {
  const { deviceId, from, to, bucketMs } = query;
  const path = pathOf(query.field);
  refuseSeries(query);
  const sinceFrom = { $subtract: ["$at", from] };
  const stages = [
    { $match: { deviceId, at: { $gte: from, $lt: to }, [path]: { $type: "number" } } },
    { $sort: { at: 1, _id: 1 } },
    {
      $group: {
        _id: { $floor: { $divide: [sinceFrom, bucketMs] } },
        count: { $sum: 1 },
        ...{ min: { $min: `$${path}` }, max: { $max: `$${path}` }, average: { $avg: `$${path}` } },
        last: { $last: `$${path}` },
      },
    },
    { $sort: { _id: 1 } },
  ];
  const found = messages.aggregate<Omit<Bucket, "from"> & { _id: number }>(stages, { ...BOUNDS, allowDiskUse: false });
  try {
    return (await found.toArray()).map(({ _id, ...bucket }) => ({
      from: new Date(from.getTime() + _id * bucketMs),
      ...bucket,
    }));
  } catch (error) {
    throw operationFailure("The query", error);
  }
}

function refuseSeries({ from, to, bucketMs }: SeriesQuery): void {
  const span = to.getTime() - from.getTime();
  if (!(span > 0)) throw refused("`to` does not come after `from`; name a range of time.");
  if (!Number.isSafeInteger(bucketMs) || bucketMs < 1) throw refused("bucketMs is no whole number of ms above 0.");
  const count = Math.ceil(span / bucketMs);
  if (count > MOST_RESULTS)
    throw refused(`It would have ${count} parts; make bucketMs larger, for at most ${MOST_RESULTS}.`);
}

function refused(says: string): SkepError {
  return new SkepError("invalid_argument", "SERIES_INVALID", `The series is refused: ${says}`);
}
