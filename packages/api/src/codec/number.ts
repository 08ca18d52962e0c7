import { SkepError } from "@skep/core/error.ts";

/** A count of ours as a 64-bit field; fractions are cut off. */
export function toUint64(value: number): bigint {
  return BigInt(Math.max(0, Math.trunc(value)));
}

/**
 * A 64-bit field as a count of ours.
 * @throws SkepError `invalid_argument` `OUT_OF_RANGE` above 2^53, where numbers would lose digits.
 */
export function fromUint64(value: bigint, path: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))
    throw new SkepError("invalid_argument", "OUT_OF_RANGE", `${path} is ${value}; it must be below 2^53.`, {
      issues: [{ path, problem: `is ${value}`, advice: "use a number below 2^53" }],
    });
  return Number(value);
}

/** The highest epoch or release that the records can hold. */
const HIGHEST_COUNT = 2_147_483_647;

/**
 * An epoch or a release that an agent names. No scheduler gives more than the records can hold, and
 * what they cannot hold would fail the write of all that stands beside it.
 * @throws SkepError `invalid_argument` `OUT_OF_RANGE` from 2^31 on.
 */
export function countFromProto(value: number, path: string): number {
  if (value > HIGHEST_COUNT)
    throw new SkepError("invalid_argument", "OUT_OF_RANGE", `${path} is ${value}; it must be below 2^31.`, {
      issues: [{ path, problem: `is ${value}`, advice: "look into its node: no scheduler gives such a number" }],
    });
  return value;
}

/** A whole number of at least 0, for unsigned fields. */
export function toUint32(value: number): number {
  return Math.min(4_294_967_295, Math.max(0, Math.round(value)));
}
