import type { InstanceId } from "../model/instance.ts";
import { parseInstanceId } from "../model/instance-id.ts";

/** The numbers that one deployment's name has given to instances; they survive its deletion. */
export interface Serials {
  /** The next one. Every lower one was given out, but for those of the gap. */
  readonly next: number;
  /** Numbers that a recovery skipped: the records cannot tell which of them were given out. */
  readonly gap: { readonly from: number; readonly to: number } | undefined;
}

/** How far a recovery skips beyond the highest number that any agent reports. */
export const SERIAL_GAP = 1_000;

/**
 * What the records know of an instance's number: `given`, `unsure` (in the gap of a recovery), or
 * `never`.
 */
export function knownSerial(id: InstanceId, serials: Serials | undefined): "given" | "unsure" | "never" {
  const name = parseInstanceId(id);
  if (name === undefined || serials === undefined || name.serial >= serials.next) return "never";
  const { gap } = serials;
  return gap !== undefined && name.serial >= gap.from && name.serial < gap.to ? "unsure" : "given";
}
