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

/** A whole number of at least 0, for unsigned fields. */
export function toUint32(value: number): number {
  return Math.min(4_294_967_295, Math.max(0, Math.round(value)));
}
