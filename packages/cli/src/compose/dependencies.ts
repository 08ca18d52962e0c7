import type { Dependency } from "@skep/core/model/deployment.ts";
import type { Assembled } from "./assemble.ts";
import type { ServiceDraft } from "./draft.ts";
import type { Place, Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import { below } from "./spots.ts";
import type { Spot } from "./spots.ts";
import { describe, readBoolean, readTexts, readWord } from "./values.ts";

const CONDITIONS = ["service_started", "service_healthy", "service_completed_successfully"] as const;
const WORDS = ["started", "healthy", "completed"] as const;

interface Wait {
  readonly on: string;
  readonly place: Place;
  readonly condition: (typeof CONDITIONS)[number];
  readonly isRequired: boolean;
}

/**
 * `depends_on` of all services: what it names has to be there, and no two may wait for each other.
 * Answers the deployments with what each of them waits for. Services of one pod start together.
 */
export function withDependencies(
  deployments: readonly Assembled[],
  leftOut: ReadonlyMap<string, string>,
  problems: Problems,
): readonly Assembled[] {
  const drafts = deployments.flatMap(({ services }) => services);
  const all = new Map(drafts.map(draft => [draft.service, waitsOf(draft, problems)]));
  for (const draft of drafts) {
    for (const one of all.get(draft.service) ?? []) checkOne(one, draft.service, all, leftOut, problems);
  }
  const homes = new Map(deployments.flatMap(one => one.services.map(({ service }) => [service, one] as const)));
  for (const wait of [...all.values()].flat()) checkCondition(wait, homes.get(wait.on), problems);
  if (!refuseCycles(all, problems)) refuseCycles(betweenPods(all, homes), problems);
  return deployments.map(one => ({ ...one, spec: { ...one.spec, dependsOn: dependenciesOf(one, all, homes) } }));
}

/** What a pod waits for: each deployment once, by what its services ask the most of it. */
function dependenciesOf(
  deployment: Assembled,
  all: ReadonlyMap<string, readonly Wait[]>,
  homes: ReadonlyMap<string, Assembled>,
): readonly Dependency[] {
  const found = new Map<string, Dependency>();
  for (const { on, condition, isRequired } of deployment.services.flatMap(one => all.get(one.service) ?? [])) {
    const home = homes.get(on);
    if (home === undefined || home === deployment) continue;
    const { name } = home.spec;
    const before = found.get(name);
    const rank = Math.max(CONDITIONS.indexOf(condition), WORDS.indexOf(before?.condition ?? "started"));
    found.set(name, { name, condition: WORDS[rank]!, required: isRequired || before?.required === true });
  }
  return [...found.values()];
}

/** The waits between deployments, each under the first service of its own. */
function betweenPods(
  all: ReadonlyMap<string, readonly Wait[]>,
  homes: ReadonlyMap<string, Assembled>,
): ReadonlyMap<string, readonly Wait[]> {
  const first = (service: string): string => homes.get(service)?.services[0].service ?? service;
  const waits = [...all].flatMap(([service, own]) =>
    own.map(one => ({ from: first(service), ...one, on: first(one.on) })),
  );
  return Map.groupBy(
    waits.filter(({ from, on }) => from !== on),
    one => one.from,
  );
}

/** Whether what is waited for can come about. */
function checkCondition({ on, place, condition }: Wait, home: Assembled | undefined, problems: Problems): void {
  if (home === undefined) return;
  if (condition === "service_completed_successfully" && home.spec.restart.condition === "any")
    problems.refuse(
      place,
      `\`${on}\` is always started again, so it never completes`,
      `Write \`restart: "no"\` or \`restart: on-failure\` in \`${on}\``,
    );
  if (condition !== "service_healthy" || home.spec.containers.some(one => one.health !== undefined)) return;
  const problem = `\`${on}\` has no \`healthcheck\`: it counts as healthy once it runs`;
  problems.note(place, problem, `Give \`${on}\` a \`healthcheck\``);
}

function waitsOf({ value }: ServiceDraft, problems: Problems): readonly Wait[] {
  const spot = below(value, "depends_on");
  if (spot === undefined) return [];
  if (spot.kind === "map")
    return [...spot.entries.values()].map(entry => readLong(entry.key, entry, entry.value, problems));
  const items = spot.kind === "list" ? spot.items : [];
  if (spot.kind !== "list" && spot.value !== undefined)
    problems.refuse(spot, `${describe(spot)} stands where services belong`, "Write one name per line, after `- `");
  return items.flatMap(item =>
    readTexts(item, problems, "single").map((on): Wait => ({
      on,
      place: item,
      condition: "service_started",
      isRequired: true,
    })),
  );
}

function readLong(on: string, place: Place, spot: Spot, problems: Problems): Wait {
  let condition: Wait["condition"] = "service_started";
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
  { on, place, isRequired }: Wait,
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

/** Whether there are any. */
function refuseCycles(all: ReadonlyMap<string, readonly Wait[]>, problems: Problems): boolean {
  let isFound = false;
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    for (const { on, place } of all.get(name) ?? []) {
      const passed = [...trail, name];
      if (passed.includes(on)) {
        const round = [...passed.slice(passed.indexOf(on)), on].join(" → ");
        problems.refuse(place, `the services wait for each other: ${round}`, "Let one of them start first");
        isFound = true;
      } else if (!done.has(on)) visit(on, passed);
    }
    done.add(name);
  };
  for (const name of all.keys()) if (!done.has(name)) visit(name, []);
  return isFound;
}
