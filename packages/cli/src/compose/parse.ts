import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Issue } from "@skep/core/error.ts";
import { projectDeploymentName } from "@skep/core/model/instance-id.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import { assemble } from "./assemble.ts";
import type { Assembled } from "./assemble.ts";
import { withDependencies } from "./dependencies.ts";
import type { FileText, Reading, ServiceDraft } from "./draft.ts";
import { noteNames } from "./other-names.ts";
import type { Variables } from "./interpolate.ts";
import { noteLimits, noteMemoryFiles } from "./limits.ts";
import { Loader } from "./load.ts";
import { settle } from "./merge.ts";
import { checkNames, deploymentNames, serviceName } from "./names.ts";
import { readNetworks, settleNetworks } from "./networks.ts";
import { Problems } from "./problems.ts";
import type { ComposeIssue, Source } from "./problems.ts";
import { composeProjectName, projectOf } from "./project-name.ts";
import { checkRules, issueAt } from "./rules.ts";
import { readSection } from "./section.ts";
import { selectServices } from "./select.ts";
import type { Choice } from "./select.ts";
import { readService } from "./service.ts";
import { below } from "./spots.ts";
import type { MapSpot, Spot } from "./spots.ts";
import { parseYaml } from "./tree.ts";
import { describe } from "./values.ts";
import { IGNORED_AT_TOP, REFUSED_AT_TOP } from "./verdicts.ts";
import { checkUpdates } from "./updates.ts";
import { readVolumes } from "./project-volumes.ts";

/** What Compose files ask for. Where there are issues, nothing of it may be deployed. */
export interface Composed {
  /** What the deployments belong to. */
  readonly project: string;
  readonly deployments: readonly DeploymentSpec[];
  /** Names of what belongs to the project as well and is not chosen. */
  readonly others: readonly string[];
  /** What the platform says of a field of one of the deployments, by its index, with its place. */
  readonly issueAt: (index: number, issue: Issue) => ComposeIssue | undefined;
  /** Everything that is refused, in the order of the files. */
  readonly issues: readonly ComposeIssue[];
  /** Legal Compose that does not do all of what it says here. */
  readonly notes: readonly ComposeIssue[];
}

/** One of the files of a project. */
export interface ComposeText {
  /** Its name for messages. */
  readonly name: string;
  readonly text: string;
}

/** Where the texts came from and what they may read. */
export interface ComposeSource {
  /** Where relative paths begin. */
  readonly folder: string;
  /** Names the project where nothing else does. */
  readonly folderName: string;
  /** Variables for `${NAME}`, and for keys of `environment` without a value. */
  readonly env: Variables;
  /** The text of a file that `env_file`, `include` or `extends` names. */
  readonly readFile: (path: string) => FileText;
  /** How a path is shown to people. */
  readonly display: (path: string) => string;
  readonly choice: Choice;
  /** The platform's limits, for what says none. */
  readonly limits: Limits;
}

/**
 * Reads files of the Compose specification, the later ones above the earlier, into deployments. It
 * never throws for what they say: every reason to refuse them is collected, with its file, line and
 * column, so that one run names them all.
 */
export function parseCompose(files: readonly ComposeText[], from: ComposeSource): Composed {
  const problems = new Problems();
  const variables: Record<string, string | undefined> = { ...from.env };
  const parsed = files.flatMap(({ name, text }) => {
    const source: Source = { name, folder: from.folder, variables };
    return parseYaml(text, source, problems) ?? [];
  });
  const given = variables["COMPOSE_PROJECT_NAME"] || undefined;
  const found = composeProjectName(parsed, from.folderName);
  variables["COMPOSE_PROJECT_NAME"] = given ?? found;
  const loader = new Loader(problems, from.readFile, from.display);
  const trail = files.map(({ name }) => name);
  const merged = loader.merged(parsed, trail);
  const root = merged === undefined ? undefined : settle(merged, problems);
  const project = root === undefined ? "" : projectOf(root, given, found, problems);
  const { assembled, others } =
    root === undefined ? { assembled: [], others: [] } : readProject(root, project, from, problems);
  return {
    project,
    deployments: assembled.map(({ spec }) => spec),
    others,
    issueAt: (index, issue) => {
      const one = assembled[index];
      return one === undefined ? undefined : issueAt(one, issue);
    },
    issues: problems.issues(),
    notes: problems.notes(),
  };
}

interface Read {
  readonly assembled: readonly Assembled[];
  readonly others: readonly string[];
}

function readProject(root: MapSpot, project: string, from: ComposeSource, problems: Problems): Read {
  const drafts = new Map<string, ServiceDraft>();
  let leftOut: ReadonlyMap<string, string> = new Map();
  let others: readonly string[] = [];
  const volumes = readVolumes(root.entries.get("volumes")?.value, problems);
  const networks = readNetworks(below(root, "networks"), project, problems);
  readSection(
    root,
    {
      name: "the file",
      keys: {
        // It named the project.
        name: () => undefined,
        services: value => {
          if (!isServices(value, problems)) return;
          const selected = selectServices(value, from.choice, problems);
          ({ leftOut } = selected);
          const chosen = new Set(selected.chosen);
          const rest = [...value.entries.values()].filter(entry => !chosen.has(entry));
          others = rest.map(({ key }) => projectDeploymentName(project, serviceName(key)));
          const reading: Reading = {
            problems,
            readFile: from.readFile,
            limits: from.limits,
            volumes,
            names: deploymentNames(selected.chosen, project, problems),
          };
          for (const entry of selected.chosen) drafts.set(entry.key, readService(entry, reading));
        },
        // They were read before the services, which name them.
        volumes: () => undefined,
        networks: () => undefined,
      },
      refused: REFUSED_AT_TOP,
      ignored: IGNORED_AT_TOP,
    },
    problems,
  );
  if (!root.entries.has("services"))
    problems.refuse(root, "the file has no `services`", "Add `services:` with one entry per service");
  const memberships = settleNetworks([...drafts.values()], networks, project, problems);
  const joined = assemble(project, drafts, leftOut, memberships, problems);
  const assembled = withDependencies(joined, leftOut, problems);
  checkNames(assembled, problems);
  checkUpdates(assembled, problems);
  noteNames(assembled, problems);
  noteLimits(assembled, from.limits, problems);
  noteMemoryFiles(assembled, problems);
  for (const one of assembled) checkRules(one, problems);
  return { assembled, others };
}

function isServices(spot: Spot, problems: Problems): spot is MapSpot {
  if (spot.kind === "map" && spot.entries.size > 0) return true;
  problems.refuse(
    spot,
    spot.kind === "map" ? "no service stands here" : `${describe(spot)} stands where services belong`,
    "Write one entry per service: `web:`, and its image below",
  );
  return false;
}
