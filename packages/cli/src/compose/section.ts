import type { Place, Problems } from "./problems.ts";
import type { Entry, Spot } from "./spots.ts";
import { describe, either } from "./values.ts";
import { nearest } from "./words.ts";

/** What is said of a key that is legal Compose and refused, or without effect, here. */
export interface Verdict {
  readonly problem: string;
  readonly advice: string;
}

/** What a section of the file may hold. */
export interface Section {
  /** How a person calls it, for example `a service`. */
  readonly name: string;
  /** Readers of the keys that mean something. */
  readonly keys: Readonly<Record<string, (value: Spot, key: Place) => void>>;
  readonly refused?: Readonly<Record<string, Verdict>>;
  /** Legal keys that have no effect; a note says so. */
  readonly ignored?: Readonly<Record<string, Verdict>>;
}

/**
 * Reads a mapping key by key; what is not known is refused, with the key that was probably meant.
 */
export function readSection(spot: Spot, section: Section, problems: Problems): void {
  if (spot.kind !== "map") {
    problems.refuse(
      spot,
      `${describe(spot)} stands where ${section.name} belongs`,
      `Write a mapping with ${some(section)}`,
    );
    return;
  }
  for (const entry of spot.entries.values()) readKey(entry, section, problems);
}

function readKey(entry: Entry, section: Section, problems: Problems): void {
  const reader = Object.hasOwn(section.keys, entry.key) ? section.keys[entry.key] : undefined;
  if (reader !== undefined) return reader(entry.value, entry);
  if (entry.key.startsWith("x-")) return;
  const refused = own(section.refused, entry.key);
  const ignored = own(section.ignored, entry.key);
  // A key that is switched off, or has nothing, asks for nothing that would have to be said.
  if ((refused !== undefined || ignored !== undefined) && isOff(entry.value)) return;
  if (refused !== undefined) return problems.refuse(entry, refused.problem, refused.advice);
  if (ignored !== undefined) return problems.note(entry, ignored.problem, ignored.advice);
  const every = [section.keys, section.refused ?? {}, section.ignored ?? {}].flatMap(keys => Object.keys(keys));
  const meant = nearest(entry.key, every);
  problems.refuse(
    entry,
    `\`${entry.key}\` is not known in ${section.name}`,
    meant === undefined ? `Remove it; known are ${either(Object.keys(section.keys))}` : `Did you mean \`${meant}\`?`,
  );
}

function isOff(value: Spot): boolean {
  if (value.kind === "list") return value.items.length === 0;
  if (value.kind === "map") return value.entries.size === 0;
  return value.value === undefined || value.value === false || value.value === "false";
}

function own(verdicts: Readonly<Record<string, Verdict>> | undefined, key: string): Verdict | undefined {
  return verdicts !== undefined && Object.hasOwn(verdicts, key) ? verdicts[key] : undefined;
}

function some(section: Section): string {
  return either(Object.keys(section.keys).slice(0, 4));
}
