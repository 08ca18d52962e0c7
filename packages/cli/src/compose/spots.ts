import type { Place } from "./problems.ts";

/**
 * A value of a file with the place it stands at; anchors, merge keys and variables are already
 * resolved.
 */
export type Spot = MapSpot | ListSpot | ScalarSpot;

/**
 * `!reset` removes what an earlier file says, `!override` takes its place whole. `used` is a reset
 * that has removed something.
 */
export type MergeTag = "reset" | "used" | "override";

interface Tagged extends Place {
  readonly tag?: MergeTag;
}

/** One key of a mapping: `at` and `path` are the key's, the value has its own. */
export interface Entry extends Place {
  readonly key: string;
  readonly value: Spot;
}

/** A mapping, by key. */
export interface MapSpot extends Tagged {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, Entry>;
}

/** A list. */
export interface ListSpot extends Tagged {
  readonly kind: "list";
  readonly items: readonly Spot[];
}

/**
 * A single value: true or false, nothing, or text as it was written, after its variables were
 * replaced. A number is its text, so that none is rounded or written otherwise.
 */
export interface ScalarSpot extends Tagged {
  readonly kind: "scalar";
  readonly value: string | boolean | undefined;
}

/** Nothing, where something was to stand. */
export function nothingAt({ at, path }: Place): ScalarSpot {
  return { kind: "scalar", at, path, value: undefined };
}

/** Whether nothing stands there: `key:` or `key: null`. */
export function isNothing(spot: Spot): boolean {
  return spot.kind === "scalar" && spot.value === undefined;
}

/** The value below a key of a mapping. */
export function below(spot: Spot | undefined, ...keys: readonly string[]): Spot | undefined {
  let found = spot;
  for (const key of keys) found = found?.kind === "map" ? found.entries.get(key)?.value : undefined;
  return found;
}

/** The same entry under another path, so that messages name who uses it. */
export function movedEntry(entry: Entry, from: string, to: string): Entry {
  if (from === to) return entry;
  return { ...entry, path: to + entry.path.slice(from.length), value: movedSpot(entry.value, from, to) };
}

/** The same value under another path. */
export function movedSpot(spot: Spot, from: string, to: string): Spot {
  if (from === to) return spot;
  const path = to + spot.path.slice(from.length);
  if (spot.kind === "list") return { ...spot, path, items: spot.items.map(item => movedSpot(item, from, to)) };
  if (spot.kind === "scalar") return { ...spot, path };
  const entries = new Map([...spot.entries].map(([key, entry]) => [key, movedEntry(entry, from, to)]));
  return { ...spot, path, entries };
}

/** How many values a spot holds, itself included. */
export function sizeOf(spot: Spot): number {
  if (spot.kind === "scalar") return 1;
  const inner = spot.kind === "list" ? spot.items : [...spot.entries.values()].map(entry => entry.value);
  return inner.reduce((sum, one) => sum + sizeOf(one), 1);
}
