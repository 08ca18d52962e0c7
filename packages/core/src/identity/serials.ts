import type { DeploymentId } from "../model/deployment.ts";
import type { InstanceId } from "../model/instance.ts";
import { parseInstanceId } from "../model/instance-id.ts";

/** Numbers from `from` on and below `to`. */
export interface SerialRange {
  readonly from: number;
  readonly to: number;
}

/** The numbers that one deployment's name has given to instances; they survive its deletion. */
export interface Serials {
  /** The next one. Every lower one was given out, but for those of `gap` and `skipped`. */
  readonly next: number;
  /** Numbers that a recovery skipped: the records cannot tell which of them were given out. */
  readonly gap: SerialRange | undefined;
  /**
   * Numbers that were skipped because of something that is left alone and has one that these
   * records never gave; in order, and apart.
   */
  readonly skipped: readonly SerialRange[];
}

/**
 * How far numbers skip beyond the highest one that any agent reports: an agent that is not heard
 * yet may have higher ones.
 */
export const SERIAL_GAP = 1_000;

/**
 * No number from here on makes numbers skip, whoever reports it. Names have nine digits: a stolen
 * agent reports what it likes, and must not use them up.
 */
export const SERIALS_BELIEVED = 100_000_000;

/** The same for serials of volumes, which are counted over the whole fleet. */
const VOLUME_SERIALS_BELIEVED = 1_000_000_000_000;

/**
 * What the records know of an instance's number: `given`, `unsure` (in the gap of a recovery), or
 * `never`.
 */
export function knownSerial(id: InstanceId, serials: Serials | undefined): "given" | "unsure" | "never" {
  const name = parseInstanceId(id);
  if (name === undefined || serials === undefined || name.serial >= serials.next) return "never";
  const { serial } = name;
  if (serials.skipped.some(range => isIn(range, serial))) return "never";
  return serials.gap !== undefined && isIn(serials.gap, serial) ? "unsure" : "given";
}

/**
 * The numbers of a name of which the records have none: it begins at the floor of the last
 * recovery.
 */
export function firstSerials(floor: number): Serials {
  return floor > 1
    ? { next: floor, gap: { from: 1, to: floor }, skipped: [] }
    : { next: 1, gap: undefined, skipped: [] };
}

/** The highest number of each deployment among these, but for numbers that nobody is believed. */
export function highestSerials(ids: Iterable<InstanceId>): ReadonlyMap<DeploymentId, number> {
  const highest = new Map<DeploymentId, number>();
  for (const id of ids) {
    const name = parseInstanceId(id);
    if (name === undefined || name.serial >= SERIALS_BELIEVED) continue;
    highest.set(name.deploymentId, Math.max(name.serial, highest.get(name.deploymentId) ?? 0));
  }
  return highest;
}

/** The highest serial of these volumes, but for those that nobody is believed; 0 for none. */
export function highestVolumeSerial(volumes: Iterable<{ readonly serial: number }>): number {
  let highest = 0;
  for (const { serial } of volumes) if (serial < VOLUME_SERIALS_BELIEVED) highest = Math.max(highest, serial);
  return highest;
}

/**
 * The numbers once something with this one was left alone. Where the records never gave it they go
 * on beyond it: a new instance must not get its name. What is skipped does not count as given.
 */
export function skipBeyond(serials: Serials, highest: number): Serials {
  const { next, skipped } = serials;
  if (highest < next) return serials;
  const to = highest + 1 + SERIAL_GAP;
  const last = skipped.at(-1);
  const range = last?.to === next ? { from: last.from, to } : { from: next, to };
  return { ...serials, next: to, skipped: [...(last?.to === next ? skipped.slice(0, -1) : skipped), range] };
}

function isIn({ from, to }: SerialRange, serial: number): boolean {
  return serial >= from && serial < to;
}
