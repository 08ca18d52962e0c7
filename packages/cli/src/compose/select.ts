import type { Problems } from "./problems.ts";
import { below } from "./spots.ts";
import type { Entry, MapSpot, Spot } from "./spots.ts";
import { readTexts } from "./values.ts";

/** What is chosen of a project. */
export interface Choice {
  /** Profiles, `*` for all. */
  readonly profiles: ReadonlySet<string>;
  /** Services by their names; none for all. */
  readonly services: ReadonlySet<string>;
}

/** The services that are deployed, and those that are left out, each with a profile to choose. */
export interface Selected {
  readonly chosen: readonly Entry[];
  readonly leftOut: ReadonlyMap<string, string>;
}

/**
 * The services of the chosen profiles, and of those only the named ones with what they need: what
 * they depend on, link to or share a pod with. To name a service is to choose its profiles.
 */
export function selectServices(services: MapSpot, { profiles, services: named }: Choice, problems: Problems): Selected {
  const all = [...services.entries.values()].filter(entry => !entry.key.startsWith("x-"));
  const known = new Map(all.map(entry => [entry.key, entry]));
  for (const name of named)
    if (!known.has(name))
      problems.refuse(services, `no service is called \`${name}\``, `There are ${[...known.keys()].join(", ")}`);
  const own = new Map(all.map(entry => [entry.key, profilesOf(entry, problems)]));
  const open = new Set([...profiles, ...[...named].flatMap(name => own.get(name) ?? [])]);
  const leftOut = new Map<string, string>();
  for (const [name, [first, ...others]] of own) {
    if (first === undefined || open.has("*") || [first, ...others].some(one => open.has(one))) continue;
    leftOut.set(name, first);
  }
  const active = all.filter(entry => !leftOut.has(entry.key));
  const wanted = named.size === 0 ? undefined : withNeeds(named, active);
  for (const entry of wanted === undefined ? all : []) {
    const profile = leftOut.get(entry.key);
    const place = below(entry.value, "profiles") ?? entry;
    if (profile !== undefined)
      problems.note(
        place,
        `\`${entry.key}\` is left out: its profile is not chosen`,
        `Choose it with \`--profile ${profile}\``,
      );
  }
  const [first] = leftOut.values();
  if (active.length === 0 && first !== undefined)
    problems.refuse(
      services,
      "every service belongs to a profile that is not chosen",
      `Choose one, like \`--profile ${first}\``,
    );
  return { chosen: wanted === undefined ? active : active.filter(entry => wanted.has(entry.key)), leftOut };
}

function profilesOf({ value }: Entry, problems: Problems): readonly string[] {
  const spot = below(value, "profiles");
  return spot === undefined ? [] : readTexts(spot, problems);
}

function withNeeds(named: ReadonlySet<string>, active: readonly Entry[]): ReadonlySet<string> {
  const needs = new Map(active.map(entry => [entry.key, needsOf(entry.value)]));
  const found = new Set(named);
  for (const name of found) {
    for (const other of needs.get(name) ?? []) found.add(other);
    // A pod is deployed whole: without what joins it, its containers would be removed.
    for (const { key, value } of active) if (podOf(value) === name) found.add(key);
  }
  return found;
}

function needsOf(value: Spot): readonly string[] {
  const needs = namesOf(below(value, "depends_on"));
  const pod = podOf(value);
  const links = namesOf(below(value, "links")).map(link => link.split(":")[0] ?? "");
  return [...needs, ...links, ...(pod === undefined ? [] : [pod])];
}

function podOf(value: Spot): string | undefined {
  const mode = below(value, "network_mode");
  const text = mode?.kind === "scalar" ? String(mode.value ?? "") : "";
  return text.startsWith("service:") ? text.slice("service:".length) : undefined;
}

function namesOf(spot: Spot | undefined): readonly string[] {
  if (spot?.kind === "map") return [...spot.entries.keys()];
  return spot?.kind === "list" ? spot.items.flatMap(item => (item.kind === "scalar" ? String(item.value) : [])) : [];
}
