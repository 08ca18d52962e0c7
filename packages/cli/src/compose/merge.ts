import { ruleOf } from "./merge-rules.ts";
import type { MergeRule } from "./merge-rules.ts";
import type { Problems } from "./problems.ts";
import { below, isNothing } from "./spots.ts";
import type { Entry, MapSpot, Spot } from "./spots.ts";

/**
 * One value of what two files say, by the rules of the Compose specification. `keys` lead to it
 * from the top of the file. Each part keeps the place where it is written.
 */
export function mergeSpots(base: Spot, over: Spot, keys: readonly string[], problems: Problems): Spot {
  if (over.tag === "reset" || over.tag === "used") {
    const had = base.tag !== "reset" && base.tag !== "used";
    return { ...over, tag: had || over.tag === "used" ? "used" : "reset" };
  }
  if (over.tag === "override" || base.tag === "reset" || base.tag === "used") return over;
  const rule = ruleOf(keys);
  if (rule?.by === "replace") return over;
  if (isNothing(over)) return base;
  if (isNothing(base)) return over;
  const merged = rule === undefined ? undefined : byRule(rule, base, over);
  const [left, right] = merged ?? [base, over];
  if (left.kind === "map" && right.kind === "map") return mergeMaps(left, right, keys, problems);
  if (left.kind === "list" && right.kind === "list")
    return { ...right, items: [...without(left.items, right.items, rule), ...right.items] };
  if (left.kind === "scalar" && right.kind === "scalar") return right;
  problems.refuse(
    right,
    `this is ${WORDS[right.kind]}, and ${left.at.source.name}:${left.at.line} has ${WORDS[left.kind]} here`,
    "Write both alike, or `!override` before this one to replace the other",
  );
  return right;
}

const WORDS = { map: "a mapping", list: "a list", scalar: "a single value" } as const;

/** Two mappings as one, key by key. */
export function mergeMaps(base: MapSpot, over: MapSpot, keys: readonly string[], problems: Problems): MapSpot {
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const before = entries.get(key);
    const value = before === undefined ? entry.value : mergeSpots(before.value, entry.value, [...keys, key], problems);
    entries.set(key, { ...entry, value });
  }
  return { ...over, entries };
}

/**
 * What `!reset` leaves: the tree without what it removes. A reset that removes nothing is noted,
 * since it may have been meant for another key.
 */
export function settle(root: MapSpot, problems: Problems): MapSpot {
  return settled(root, problems) as MapSpot;
}

function settled(spot: Spot, problems: Problems): Spot {
  if (spot.kind === "scalar") return spot;
  if (spot.kind === "list") return { ...spot, items: spot.items.map(item => settled(item, problems)) };
  const entries = new Map<string, Entry>();
  for (const [key, entry] of spot.entries) {
    if (entry.value.tag === "reset")
      problems.note(entry, "`!reset` finds nothing to remove here", "It removes what an earlier file or a base says");
    if (entry.value.tag === "reset" || entry.value.tag === "used") continue;
    entries.set(key, { ...entry, value: settled(entry.value, problems) });
  }
  return { ...spot, entries };
}

type Two = readonly [Spot, Spot];

/** Both values in a form in which they can be joined; `undefined` where they are as they are. */
function byRule(rule: MergeRule, base: Spot, over: Spot): Two | undefined {
  switch (rule.by) {
    case "pairs":
      return base.kind === "map" && over.kind === "map" ? undefined : [pairsOf(base), pairsOf(over)];
    case "names":
      return base.kind === "map" && over.kind === "map"
        ? undefined
        : [namesOf(base, rule.each), namesOf(over, rule.each)];
    case "unique":
      return [listOf(base), listOf(over)];
    case "short":
      return [mapOf(base, rule.key), mapOf(over, rule.key)];
    case "driver": {
      const [one, other] = [textAt(base, "driver"), textAt(over, "driver")];
      if (one === undefined || other === undefined || one === other) return undefined;
      return [{ ...over, kind: "map", entries: new Map() }, over];
    }
    case "replace":
      return [over, over];
  }
}

function without(base: readonly Spot[], over: readonly Spot[], rule: MergeRule | undefined): readonly Spot[] {
  if (rule?.by !== "unique") return base;
  const later = new Set(over.map(item => likeness(item, rule.like)));
  return base.filter(item => !later.has(likeness(item, rule.like)));
}

/** Equal for two items of which the later one takes the place of the other. */
function likeness(item: Spot, like: Extract<MergeRule, { by: "unique" }>["like"]): string | Spot {
  const text = item.kind === "scalar" ? String(item.value ?? "") : undefined;
  switch (like) {
    case "text":
      return text ?? portKey(item) ?? item;
    case "path":
      return text ?? textAt(item, "path") ?? item;
    case "mount":
      return text?.split(":")[0] ?? item;
    case "target": {
      if (text === undefined) return textAt(item, "target") ?? textAt(item, "source") ?? item;
      const [source = "", target] = text.split(":");
      return target ?? source;
    }
  }
}

/** The long form of a port, as the short form would be written. */
function portKey(item: Spot): string | undefined {
  const target = textAt(item, "target");
  if (target === undefined) return undefined;
  const [address, published] = [textAt(item, "host_ip"), textAt(item, "published")];
  const protocol = textAt(item, "protocol") ?? "tcp";
  const before = [address, published].filter(part => part !== undefined).map(part => `${part}:`);
  return `${before.join("")}${target}${protocol === "tcp" ? "" : `/${protocol}`}`;
}

function textAt(spot: Spot, key: string): string | undefined {
  const found = below(spot, key);
  return found?.kind === "scalar" && found.value !== undefined ? String(found.value) : undefined;
}

function listOf(spot: Spot): Spot {
  return spot.kind === "scalar" ? { kind: "list", at: spot.at, path: spot.path, items: [spot] } : spot;
}

function mapOf(spot: Spot, key: string): Spot {
  if (spot.kind !== "scalar") return spot;
  const path = `${spot.path}.${key}`;
  return { ...spot, kind: "map", entries: new Map([[key, { key, at: spot.at, path, value: { ...spot, path } }]]) };
}

/** A list of `key=value` as a mapping; what is no such list is refused where it is read. */
function pairsOf(spot: Spot): Spot {
  if (spot.kind !== "list" || spot.items.some(item => item.kind !== "scalar")) return spot;
  const entries = spot.items.map((item): [string, Entry] => {
    const text = item.kind === "scalar" ? String(item.value ?? "") : "";
    const equals = text.indexOf("=");
    const key = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    const path = `${spot.path}.${key}`;
    return [key, { key, at: item.at, path, value: { kind: "scalar", at: item.at, path, value } }];
  });
  return { kind: "map", at: spot.at, path: spot.path, entries: new Map(entries) };
}

function namesOf(spot: Spot, each: Readonly<Record<string, string | boolean>> | undefined): Spot {
  if (spot.kind !== "list" || spot.items.some(item => item.kind !== "scalar")) return spot;
  const entries = spot.items.map((item): [string, Entry] => {
    const key = item.kind === "scalar" ? String(item.value ?? "") : "";
    const path = `${spot.path}.${key}`;
    const inner = Object.entries(each ?? {}).map(([name, value]): [string, Entry] => {
      const place = { at: item.at, path: `${path}.${name}` };
      return [name, { ...place, key: name, value: { ...place, kind: "scalar", value } }];
    });
    const value: Spot =
      each === undefined
        ? { kind: "scalar", at: item.at, path, value: undefined }
        : { kind: "map", at: item.at, path, entries: new Map(inner) };
    return [key, { key, at: item.at, path, value }];
  });
  return { kind: "map", at: spot.at, path: spot.path, entries: new Map(entries) };
}
