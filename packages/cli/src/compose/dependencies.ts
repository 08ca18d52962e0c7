import type { ServiceDraft } from "./draft.ts";
import type { Place, Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import { below } from "./spots.ts";
import type { Spot } from "./spots.ts";
import { describe, readBoolean, readTexts, readWord } from "./values.ts";

const CONDITIONS = ["service_started", "service_healthy", "service_completed_successfully"] as const;

interface Dependency {
  readonly on: string;
  readonly place: Place;
  readonly condition: (typeof CONDITIONS)[number];
  readonly isRequired: boolean;
}

/**
 * `depends_on` of all services: what it names has to be there, and no two may wait for each other.
 * Nothing is waited for yet, which is noted.
 */
export function checkDependencies(
  drafts: readonly ServiceDraft[],
  leftOut: ReadonlyMap<string, string>,
  problems: Problems,
): void {
  const all = new Map(drafts.map(draft => [draft.service, dependenciesOf(draft, problems)]));
  for (const draft of drafts) {
    const own = all.get(draft.service) ?? [];
    for (const one of own) checkOne(one, draft.service, all, leftOut, problems);
    const key = draft.value.kind === "map" ? draft.value.entries.get("depends_on") : undefined;
    if (key !== undefined && own.length > 0) noteOrder(key, own, problems);
  }
  refuseCycles(all, problems);
}

function dependenciesOf({ value }: ServiceDraft, problems: Problems): readonly Dependency[] {
  const spot = below(value, "depends_on");
  if (spot === undefined) return [];
  if (spot.kind === "map")
    return [...spot.entries.values()].map(entry => readLong(entry.key, entry, entry.value, problems));
  const items = spot.kind === "list" ? spot.items : [];
  if (spot.kind !== "list" && spot.value !== undefined)
    problems.refuse(spot, `${describe(spot)} stands where services belong`, "Write one name per line, after `- `");
  return items.flatMap(item =>
    readTexts(item, problems, "single").map((on): Dependency => ({
      on,
      place: item,
      condition: "service_started",
      isRequired: true,
    })),
  );
}

function readLong(on: string, place: Place, spot: Spot, problems: Problems): Dependency {
  let condition: Dependency["condition"] = "service_started";
  let isRequired = true;
  const keys = {
    condition: (value: Spot) => (condition = readWord(value, problems, CONDITIONS) ?? condition),
    required: (value: Spot) => (isRequired = readBoolean(value, problems) ?? true),
  };
  const restart = { problem: "`restart` has no effect", advice: "Let the program connect again by itself" };
  if (spot.kind !== "scalar" || spot.value !== undefined)
    readSection(spot, { name: "a dependency", keys, ignored: { restart } }, problems);
  return { on, place, condition, isRequired };
}

function checkOne(
  { on, place, isRequired }: Dependency,
  service: string,
  known: ReadonlyMap<string, unknown>,
  leftOut: ReadonlyMap<string, string>,
  problems: Problems,
): void {
  const profile = leftOut.get(on);
  if (known.has(on) || !isRequired) return;
  if (profile !== undefined)
    problems.refuse(
      place,
      `\`${service}\` depends on \`${on}\`, whose profile is not chosen`,
      `Choose it with \`--profile ${profile}\`, or write \`required: false\``,
    );
  else problems.refuse(place, `no service is called \`${on}\``, "Name a service of the project");
}

function noteOrder(key: Place, own: readonly Dependency[], problems: Problems): void {
  const waited = own.filter(one => one.condition !== "service_started");
  const words = waited.map(one => `${one.on} (${one.condition})`).join(", ");
  problems.note(
    key,
    waited.length === 0 ? "`depends_on` orders no start yet" : `it is not waited for ${words} yet`,
    "Services start in any order; let programs try again until what they need is there",
  );
}

function refuseCycles(all: ReadonlyMap<string, readonly Dependency[]>, problems: Problems): void {
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    for (const { on, place } of all.get(name) ?? []) {
      const passed = [...trail, name];
      if (passed.includes(on)) {
        const round = [...passed.slice(passed.indexOf(on)), on].join(" → ");
        problems.refuse(place, `the services wait for each other: ${round}`, "Let one of them start first");
      } else if (!done.has(on)) visit(on, passed);
    }
    done.add(name);
  };
  for (const name of all.keys()) if (!done.has(name)) visit(name, []);
}
