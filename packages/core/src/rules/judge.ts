import {
  WINDOW_BUCKETS,
  type Area,
  type Bucket,
  type Comparison,
  type Condition,
  type ConditionMemory,
} from "./condition.ts";
import { distanceM, isPoint, isSame, type Fields, type FieldValue, type Point } from "./value.ts";

/** What conditions remember of one device, by the path of the condition within its rule. */
export type Memory = ReadonlyMap<string, ConditionMemory>;

/** What a device said, or that it is silent still. */
export interface Heard {
  /** Its typed fields; `undefined` where it is only asked what its silence means. */
  readonly fields: Fields | undefined;
  /** When it was last heard of, ms: for a message its own time. */
  readonly at: number;
}

/** Whether conditions hold, and what they remember from now on. */
export interface Judgement {
  readonly holds: boolean;
  readonly memory: Memory;
}

/**
 * Judges a condition. Every part of it is judged, also where the others have decided already, so
 * that each one's memory is whole. A message without the field leaves that part as it was. A
 * message from the future is one of now: a clock that is ahead may not fill the memory.
 */
export function judge(condition: Condition, { fields, at }: Heard, memory: Memory, now: number): Judgement {
  const next = new Map(memory);
  const holds = judgeAt(condition, "", { heard: { fields, at: Math.min(at, now) }, memory, next, now });
  return { holds, memory: next };
}

/**
 * When silence alone makes the condition hold, ms, counted from the last message; `undefined` where
 * it never does.
 */
export function silenceMs(condition: Condition): number | undefined {
  switch (condition.kind) {
    case "absence":
      return condition.forMs;
    case "all":
    case "any": {
      const times = condition.of.flatMap(one => silenceMs(one) ?? []);
      return times.length === 0 ? undefined : Math.min(...times);
    }
    case "not":
      return silenceMs(condition.of);
    default:
      return undefined;
  }
}

interface Round {
  readonly heard: Heard;
  readonly memory: Memory;
  readonly next: Map<string, ConditionMemory>;
  readonly now: number;
}

function judgeAt(condition: Condition, path: string, round: Round): boolean {
  switch (condition.kind) {
    case "always":
      return round.heard.fields !== undefined;
    case "absence":
      return round.now - round.heard.at >= condition.forMs;
    case "threshold":
      return judgeThreshold(condition, path, round);
    case "rate":
      return judgeRate(condition, path, round);
    case "window":
      return judgeWindow(condition, path, round);
    case "geofence":
      return judgeGeofence(condition, path, round);
    case "change":
      return judgeChange(condition, path, round);
    case "all":
      return condition.of.map((one, index) => judgeAt(one, `${path}/${index}`, round)).every(Boolean);
    case "any":
      return condition.of.map((one, index) => judgeAt(one, `${path}/${index}`, round)).some(Boolean);
    case "not":
      return !judgeAt(condition.of, `${path}/0`, round);
  }
}

type Of<Kind extends Condition["kind"]> = Extract<Condition, { kind: Kind }>;

function judgeThreshold({ field, is, value, clear }: Of<"threshold">, path: string, round: Round): boolean {
  const known = round.memory.get(path);
  const held = known?.kind === "threshold" && known.held;
  const found = round.heard.fields?.get(field);
  if (found === undefined) return held;
  const isHeld = held && clear !== undefined ? compare(found, is, clear) : compare(found, is, value);
  round.next.set(path, { kind: "threshold", held: isHeld });
  return isHeld;
}

function judgeRate({ field, perMs, is, value }: Of<"rate">, path: string, round: Round): boolean {
  const before = round.memory.get(path);
  const known = before?.kind === "rate" ? before : undefined;
  const found = round.heard.fields?.get(field);
  const { at } = round.heard;
  if (typeof found !== "number" || (known !== undefined && at <= known.at)) return known?.held ?? false;
  const held = known !== undefined && compare(((found - known.value) * perMs) / (at - known.at), is, value);
  round.next.set(path, { kind: "rate", at, value: found, held });
  return held;
}

function judgeWindow(condition: Of<"window">, path: string, round: Round): boolean {
  const { field, overMs, is, value } = condition;
  const known = round.memory.get(path);
  const span = Math.max(1, Math.ceil(overMs / WINDOW_BUCKETS));
  const found = round.heard.fields?.get(field);
  const buckets = known?.kind === "window" ? known.buckets : [];
  const { at } = round.heard;
  const added =
    typeof found === "number" && at > round.now - overMs ? add(buckets, Math.floor(at / span) * span, found) : buckets;
  const present = added.filter(bucket => bucket.from + span > round.now - overMs);
  if (present.length > 0 || known !== undefined) round.next.set(path, { kind: "window", buckets: present });
  const total = aggregate(present, condition.aggregate);
  return total !== undefined && compare(total, is, value);
}

function add(buckets: readonly Bucket[], from: number, value: number): readonly Bucket[] {
  const known = buckets.find(bucket => bucket.from === from);
  const { count, sum, least, most } = known ?? { count: 0, sum: 0, least: value, most: value };
  const grown = {
    ...{ from, count: count + 1, sum: sum + value },
    ...{ least: Math.min(least, value), most: Math.max(most, value) },
  };
  return [...buckets.filter(bucket => bucket !== known), grown];
}

function aggregate(buckets: readonly Bucket[], by: Of<"window">["aggregate"]): number | undefined {
  const count = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  if (by === "count") return count;
  if (count === 0) return undefined;
  const sum = buckets.reduce((all, bucket) => all + bucket.sum, 0);
  switch (by) {
    case "average":
      return sum / count;
    case "sum":
      return sum;
    case "least":
      return Math.min(...buckets.map(bucket => bucket.least));
    case "most":
      return Math.max(...buckets.map(bucket => bucket.most));
  }
}

function judgeGeofence({ field, area, on }: Of<"geofence">, path: string, round: Round): boolean {
  const before = round.memory.get(path);
  const was = before?.kind === "geofence" ? before.inside : undefined;
  const found = round.heard.fields?.get(field);
  const inside = isPoint(found) ? isInside(found, area) : was;
  if (inside === undefined) return false;
  round.next.set(path, { kind: "geofence", inside });
  const hasMoved = isPoint(found) && was !== undefined && was !== inside;
  switch (on) {
    case "inside":
      return inside;
    case "outside":
      return !inside;
    case "enter":
      return hasMoved && inside;
    case "leave":
      return hasMoved && !inside;
  }
}

/** Whether a place is in an area; a polygon that spans the antimeridian is not supported. */
export function isInside(point: Point, area: Area): boolean {
  if (area.kind === "circle") return distanceM(point, area.centre) <= area.radiusM;
  let inside = false;
  const { corners } = area;
  for (let here = 0, last = corners.length - 1; here < corners.length; last = here++) {
    const [a, b] = [corners[here]!, corners[last]!];
    const spans = a.lat > point.lat !== b.lat > point.lat;
    if (spans && point.lon < ((b.lon - a.lon) * (point.lat - a.lat)) / (b.lat - a.lat) + a.lon) inside = !inside;
  }
  return inside;
}

function judgeChange({ field, from, to }: Of<"change">, path: string, round: Round): boolean {
  const before = round.memory.get(path);
  const was = before?.kind === "change" ? before.value : undefined;
  const found = round.heard.fields?.get(field);
  if (found === undefined) return false;
  round.next.set(path, { kind: "change", value: found });
  if (was === undefined || isSame(was, found)) return false;
  return (from === undefined || isSame(from, was)) && (to === undefined || isSame(to, found));
}

function compare(found: FieldValue, is: Comparison, value: FieldValue): boolean {
  if (is === "==") return isSame(found, value);
  if (is === "!=") return !isSame(found, value);
  if (typeof found !== "number" || typeof value !== "number") return false;
  switch (is) {
    case "<":
      return found < value;
    case "<=":
      return found <= value;
    case ">":
      return found > value;
    case ">=":
      return found >= value;
  }
}
