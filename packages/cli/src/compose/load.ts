import { dirname } from "node:path/posix";
import { parseEnvFile } from "./dotenv.ts";
import type { FileText } from "./draft.ts";
import { readExtends } from "./extends.ts";
import { readIncludes } from "./include.ts";
import type { Include } from "./include.ts";
import type { Variables } from "./interpolate.ts";
import { mergeMaps, mergeSpots } from "./merge.ts";
import type { Place, Problems, Source } from "./problems.ts";
import { pathFrom } from "./paths.ts";
import { MAX_VALUES, parseYaml, unfold } from "./tree.ts";
import type { Parsed } from "./tree.ts";
import { movedSpot, sizeOf } from "./spots.ts";
import type { Entry, MapSpot, Spot } from "./spots.ts";

/** Files that a project may read: each could include several others. */
const MAX_FILES = 200;
/** How many services may extend each other in a row. */
const MAX_STEPS = 100;
/** What `include` brings of another file. */
const INCLUDED = ["services", "volumes", "networks", "secrets", "configs", "models"];

/** The services of a file, to be extended. */
interface Services {
  readonly file: string;
  readonly entries: ReadonlyMap<string, Entry>;
}

/** Reads the files of a project into one tree, with what they include and extend. */
export class Loader {
  readonly #problems: Problems;
  readonly #readFile: (path: string) => FileText;
  readonly #display: (path: string) => string;
  readonly #extended = new Map<string, Services>();
  /** What each service is with all that it extends: others may extend it as well. */
  readonly #whole = new Map<Entry, Spot>();
  #files = 0;
  #values = 0;

  constructor(problems: Problems, readFile: (path: string) => FileText, display: (path: string) => string) {
    this.#problems = problems;
    this.#readFile = readFile;
    this.#display = display;
  }

  /** Files whose later ones change what earlier ones say. */
  merged(files: readonly Parsed[], trail: readonly string[]): MapSpot | undefined {
    let project: MapSpot | undefined;
    for (const file of files) {
      for (const root of unfold(file, this.#problems)) {
        const whole = this.#withExtends(this.#withIncludes(root, file.source, trail), file.source.name);
        project = project === undefined ? whole : mergeMaps(project, whole, [], this.#problems);
      }
    }
    return project;
  }

  #withIncludes(root: MapSpot, source: Source, trail: readonly string[]): MapSpot {
    const spot = root.entries.get("include")?.value;
    if (spot === undefined) return root;
    const entries = new Map(root.entries);
    entries.delete("include");
    for (const include of readIncludes(spot, this.#problems)) {
      const included = this.#include(include, source, trail);
      for (const section of INCLUDED) {
        const from = included?.entries.get(section);
        const into = entries.get(section);
        if (from === undefined) continue;
        // What the file says itself stands above what it includes.
        const value = into === undefined ? from.value : mergeSpots(from.value, into.value, [section], this.#problems);
        entries.set(section, { ...(into ?? from), value });
      }
    }
    return { ...root, entries };
  }

  #include(include: Include, source: Source, trail: readonly string[]): MapSpot | undefined {
    const paths = include.paths.map(({ text, place }) => ({ path: pathFrom(source.folder, text), place }));
    const [main] = paths;
    if (main === undefined) return undefined;
    const name = this.#display(main.path);
    if (trail.includes(name)) {
      const round = [...trail.slice(trail.indexOf(name)), name].join(" → ");
      return this.#problems.refuse(main.place, `the files include each other: ${round}`, "Leave one of them out");
    }
    const folder = include.folder === undefined ? dirname(main.path) : pathFrom(source.folder, include.folder);
    const variables = this.#includeVariables(include, source, folder);
    const parsed = paths.flatMap(({ path, place }) => this.#parsed(path, place, folder, variables) ?? []);
    return this.merged(parsed, [...trail, name]);
  }

  /** What the including file knows, and below it the file of variables of the included one. */
  #includeVariables({ envFiles }: Include, source: Source, folder: string): Variables {
    const own: Record<string, string | undefined> = {};
    const read = (path: string, place: Place | undefined): void => {
      const { text, why } = this.#readFile(path);
      if (text === undefined) {
        if (place !== undefined) this.#missing(place, path, why);
        return;
      }
      const { env, problem, line } = parseEnvFile(text, { ...own, ...source.variables });
      if (problem !== undefined && place !== undefined)
        this.#problems.refuse(place, `line ${line} of \`${path}\`: ${problem}`, "Write NAME=value lines");
      Object.assign(own, env);
    };
    if (envFiles.length === 0) read(pathFrom(folder, ".env"), undefined);
    for (const { text, place } of envFiles) if (text !== "/dev/null") read(pathFrom(source.folder, text), place);
    return { ...own, ...source.variables };
  }

  #parsed(path: string, place: Place, folder: string, variables: Variables): Parsed | undefined {
    this.#files += 1;
    if (this.#files > MAX_FILES)
      return this.#problems.refuse(place, `the project reads more than ${MAX_FILES} files`, "Include fewer");
    const { text, why } = this.#readFile(path);
    if (text === undefined) return this.#missing(place, path, why);
    return parseYaml(text, { name: this.#display(path), folder, variables }, this.#problems);
  }

  #missing(place: Place, path: string, why: string): undefined {
    return this.#problems.refuse(
      place,
      `the file \`${this.#display(path)}\` cannot be read: ${why}`,
      "Give a path relative to this file",
    );
  }

  #withExtends(root: MapSpot, file: string): MapSpot {
    const services = root.entries.get("services");
    if (services === undefined || services.value.kind !== "map") return root;
    const all: Services = { file, entries: services.value.entries };
    const entries = new Map<string, Entry>();
    for (const entry of services.value.entries.values())
      entries.set(entry.key, { ...entry, value: this.#extend(entry, all, []) });
    return {
      ...root,
      entries: new Map([...root.entries, ["services", { ...services, value: { ...services.value, entries } }]]),
    };
  }

  /** The service with what it extends below it. */
  #extend(entry: Entry, among: Services, trail: readonly string[]): Spot {
    const known = this.#whole.get(entry);
    if (known !== undefined) return known;
    const whole = this.#extendOnce(entry, among, trail);
    this.#whole.set(entry, whole);
    return whole;
  }

  #extendOnce(entry: Entry, among: Services, trail: readonly string[]): Spot {
    const asked = entry.value.kind === "map" ? entry.value.entries.get("extends") : undefined;
    if (asked === undefined || entry.value.kind !== "map") return entry.value;
    const own: MapSpot = {
      ...entry.value,
      entries: new Map([...entry.value.entries].filter(([key]) => key !== "extends")),
    };
    const wanted = asked.value.tag === "reset" ? undefined : readExtends(asked, this.#problems);
    if (wanted === undefined) return own;
    const here = `\`${entry.key}\` of ${among.file}`;
    const from = wanted.file === undefined ? among : this.#servicesOf(wanted.file.text, wanted.file.place, asked);
    if (from === undefined) return own;
    const base = from.entries.get(wanted.service);
    const place = wanted.place;
    if (base === undefined)
      return (
        this.#problems.refuse(
          place,
          `no service of ${from.file} is called \`${wanted.service}\``,
          "Correct its name",
        ) ?? own
      );
    const next = `\`${wanted.service}\` of ${from.file}`;
    const passed = [...trail, here];
    if (passed.includes(next)) {
      const round = [...passed.slice(passed.indexOf(next)), next].join(" → ");
      return this.#problems.refuse(place, `the services extend each other: ${round}`, "Let one stand alone") ?? own;
    }
    if (passed.length > MAX_STEPS)
      return this.#problems.refuse(place, `services extend each other over ${MAX_STEPS} steps`, "Extend less") ?? own;
    const found = this.#extend(base, from, passed);
    const below = mergeSpots(movedSpot(found, base.path, entry.path), own, ["services", entry.key], this.#problems);
    // A chain of services would hold each part once for every service after it.
    const wasFull = this.#values > MAX_VALUES;
    this.#values += sizeOf(below);
    if (this.#values <= MAX_VALUES) return below;
    const problem = `what services extend unfolds to more than ${MAX_VALUES} values here`;
    if (!wasFull) this.#problems.refuse(place, problem, "Extend less");
    return own;
  }

  #servicesOf(file: string, place: Place, asked: Place): Services | undefined {
    const path = pathFrom(asked.at.source.folder, file);
    const known = this.#extended.get(path);
    if (known !== undefined) return known;
    const parsed = this.#parsed(path, place, dirname(path), asked.at.source.variables);
    if (parsed === undefined) return undefined;
    let root: MapSpot | undefined;
    for (const one of unfold(parsed, this.#problems))
      root = root === undefined ? one : mergeMaps(root, one, [], this.#problems);
    const services = root?.entries.get("services")?.value;
    const found = { file: parsed.source.name, entries: services?.kind === "map" ? services.entries : new Map() };
    this.#extended.set(path, found);
    return found;
  }
}
