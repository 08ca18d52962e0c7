import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { assemble } from "./assemble.ts";
import type { Reading, ServiceDraft } from "./draft.ts";
import type { Variables } from "./interpolate.ts";
import { Problems } from "./problems.ts";
import type { ComposeIssue } from "./problems.ts";
import { checkRules } from "./rules.ts";
import { readSection } from "./section.ts";
import { readService } from "./service.ts";
import { readTree } from "./tree.ts";
import type { Entry, Spot } from "./tree.ts";
import { describe, readTexts } from "./values.ts";
import { IGNORED_AT_TOP, REFUSED_AT_TOP } from "./verdicts.ts";

/** What a Compose file asks for. Where there are issues, nothing of it may be deployed. */
export interface Composed {
  readonly deployments: readonly DeploymentSpec[];
  /** Everything that is refused, in the order of the file. */
  readonly issues: readonly ComposeIssue[];
  /** Legal Compose that has no effect here. */
  readonly notes: readonly ComposeIssue[];
}

/** Where the text came from and what it may read. */
export interface ComposeSource {
  /** Name for messages. */
  readonly file: string;
  /** Variables for `${NAME}`, and for keys of `environment` without a value. */
  readonly env: Variables;
  /**
   * Text of a file named by `env_file`, relative to the Compose file; `undefined` where it cannot
   * be read.
   */
  readonly readFile?: (path: string) => string | undefined;
  /** Profiles that are chosen, `*` for all; services of none of them are left out. */
  readonly profiles?: readonly string[];
}

/**
 * Reads a file of the Compose specification into deployments. It never throws for what the file
 * says: every reason to refuse it is collected, with its line and column, so that one run names
 * them all.
 */
export function parseCompose(text: string, source: ComposeSource): Composed {
  const problems = new Problems(source.file);
  const root = readTree(text, source.env, problems);
  const drafts = new Map<string, ServiceDraft>();
  const leftOut = new Map<string, string>();
  if (root !== undefined) {
    const reading: Reading = {
      problems,
      variables: source.env,
      readFile: source.readFile ?? (() => undefined),
      volumes: declaredVolumes(root.entries.get("volumes")?.value),
      profiles: new Set(source.profiles),
    };
    readSection(
      root,
      {
        name: "the file",
        keys: {
          services: value => readServices(value, reading, drafts, leftOut),
          volumes: value => readVolumes(value, problems),
        },
        refused: REFUSED_AT_TOP,
        ignored: IGNORED_AT_TOP,
      },
      problems,
    );
    if (!root.entries.has("services"))
      problems.refuse(root, "the file has no `services`", "Add `services:` with one entry per service");
  }
  const assembled = assemble(drafts, leftOut, problems);
  // What could not be read is refused already; the rules would only complain about its absence.
  if (problems.issues().length === 0) for (const one of assembled) checkRules(one, problems);
  return { deployments: assembled.map(({ spec }) => spec), issues: problems.issues(), notes: problems.notes() };
}

function readServices(
  spot: Spot,
  reading: Reading,
  drafts: Map<string, ServiceDraft>,
  leftOut: Map<string, string>,
): void {
  if (spot.kind !== "map" || spot.entries.size === 0) {
    reading.problems.refuse(
      spot,
      spot.kind === "map" ? "no service stands here" : `${describe(spot)} stands where services belong`,
      "Write one entry per service: `web:`, and its image below",
    );
    return;
  }
  for (const entry of spot.entries.values()) {
    if (entry.key.startsWith("x-")) continue;
    const missing = missingProfile(entry, reading);
    if (missing === undefined) drafts.set(entry.key, readService(entry, reading));
    else leftOut.set(entry.key, missing);
  }
  const [first] = leftOut.values();
  if (drafts.size === 0 && first !== undefined)
    reading.problems.refuse(
      spot,
      "every service belongs to a profile that is not chosen",
      `Choose one, like \`--profile ${first}\``,
    );
}

/**
 * A profile that would have to be chosen for this service to be deployed; nothing else of the
 * service is read then.
 */
function missingProfile({ key, value }: Entry, { problems, profiles }: Reading): string | undefined {
  const spot = value.kind === "map" ? value.entries.get("profiles")?.value : undefined;
  if (spot === undefined) return undefined;
  const [first, ...others] = readTexts(spot, problems);
  if (first === undefined || profiles.has("*") || [first, ...others].some(name => profiles.has(name))) return undefined;
  problems.note(spot, `\`${key}\` is left out: its profile is not chosen`, `Choose it with \`--profile ${first}\``);
  return first;
}

function declaredVolumes(spot: Spot | undefined): ReadonlySet<string> {
  return new Set(spot?.kind === "map" ? spot.entries.keys() : []);
}

function readVolumes(spot: Spot, problems: Problems): void {
  if (spot.kind !== "map") return;
  const driver = { problem: "volumes are local to their node, without a driver", advice: "Remove it" };
  const outside = {
    problem: "a volume of somebody else cannot be used",
    advice: "Remove it; the tenant's own volume is made where it is first used",
  };
  const none = { problem: "it has no effect", advice: "Remove it" };
  for (const { value } of spot.entries.values()) {
    if (value.kind === "scalar" && value.value === undefined) continue;
    const refused = { driver_opts: driver, external: outside, name: outside };
    const keys = {
      driver: (word: Spot) => {
        if (word.kind !== "scalar" || word.value !== "local") problems.refuse(word, driver.problem, driver.advice);
      },
    };
    readSection(value, { name: "a volume", keys, refused, ignored: { labels: none } }, problems);
  }
}
