import { basename, dirname, relative, resolve } from "node:path";
import type { Command } from "commander";
import { SkepError } from "@skep/core/error.ts";
import type { Issue } from "@skep/core/error.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import { parseEnvFile } from "../compose/dotenv.ts";
import type { FileText } from "../compose/draft.ts";
import type { Variables } from "../compose/interpolate.ts";
import { parseCompose } from "../compose/parse.ts";
import type { ComposeText, Composed } from "../compose/parse.ts";
import { formatIssue } from "../compose/problems.ts";
import type { ComposeIssue } from "../compose/problems.ts";
import { MAX_FILE } from "../compose/tree.ts";
import { readStart } from "../io.ts";
import type { Io } from "../io.ts";

/** Names that Compose looks for, in its order. */
const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
/** What changes a file of such a name, where it stands beside it. */
const OVERRIDES = ["compose.override.yaml", "compose.override.yml"];
const STDIN = "standard input";

/** Which files a command is to read, and which of their services. */
export interface ComposeOptions {
  readonly file?: readonly string[];
  readonly envFile?: readonly string[];
  readonly projectDirectory?: string;
  readonly projectName?: string;
  readonly profile?: readonly string[];
}

/** A project as its files describe it. */
export type ReadProject = Pick<Composed, "project" | "deployments" | "others" | "issueAt">;

/** Adds the options that say so. */
export function composeOptions(command: Command): Command {
  return command
    .argument("[SERVICE...]", "only these services of the files, with what they need (else all)")
    .option("-f, --file <FILE>", "a Compose file; later ones change what earlier ones say", collect)
    .option("--env-file <FILE>", "a file of variables, in place of `.env`", collect)
    .option("--project-directory <DIR>", "where relative paths begin (else beside the first file)")
    .option("-p, --project-name <NAME>", "the project, in place of `name:` of the file or its folder's")
    .option("--profile <NAME>", "also the services of this profile (`*` for all)", collect);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/**
 * Reads Compose files (`-` is standard input; none is the first usual name of this directory, and
 * what overrides it) into deployments. Variables come from the environment and from `.env` beside
 * the first file, and profiles also from COMPOSE_PROFILES. `limits` are those of a container that
 * says none. Notes go to the error output.
 * @throws SkepError `invalid_argument` with every reason to refuse the files.
 */
export function readComposeFiles(
  io: Io,
  services: readonly string[],
  options: ComposeOptions,
  limits: Limits = DEFAULT_RESOURCES,
): ReadProject {
  const files = openAll(io, options.file ?? split(io.env["COMPOSE_FILE"], io.env["COMPOSE_PATH_SEPARATOR"] ?? ":"));
  const folder = folderOf(io, files, options);
  const { projectName } = options;
  const named = projectName === undefined ? {} : { COMPOSE_PROJECT_NAME: projectName };
  const env: Variables = { ...variablesOf(io, folder, options), ...io.env, ...named };
  const profiles = [...(options.profile ?? []), ...split(env["COMPOSE_PROFILES"], ",")];
  const composed = parseCompose(files, {
    folder,
    folderName: basename(folder),
    env,
    readFile,
    limits,
    display: path => shown(io, path),
    choice: { profiles: new Set(profiles), services: new Set(services) },
  });
  for (const note of composed.notes) io.err(`${formatIssue(note)}\n`);
  if (composed.issues.length > 0) throw refused(files, composed.issues);
  const { project, deployments, others, issueAt } = composed;
  return { project, deployments, others, issueAt };
}

function split(text: string | undefined, separator: string): readonly string[] {
  return (text ?? "")
    .split(separator)
    .map(name => name.trim())
    .filter(name => name !== "");
}

function refused(files: readonly ComposeText[], issues: readonly ComposeIssue[]): SkepError {
  const many = issues.length === 1 ? "one reason" : `${issues.length} reasons`;
  const [first] = files;
  const what =
    files.length > 1 ? "The files" : first === undefined || first.name === STDIN ? "The input" : basename(first.name);
  return new SkepError(
    "invalid_argument",
    "COMPOSE_REFUSED",
    `${what} cannot be deployed, for ${many}, and nothing was changed:`,
    {
      issues: issues.map(asIssue),
    },
  );
}

/** An issue of a file with its place as its path. */
export function asIssue({ file, line, column, path, problem, advice }: ComposeIssue): Issue {
  return { path: `${file}:${line}:${column}`, problem: `${path === "" ? "" : `${path}: `}${problem}`, advice };
}

/** A path as it is written from here. */
function shown(io: Io, path: string): string {
  const short = relative(io.cwd, resolve(io.cwd, path));
  return short === "" || short.startsWith("..") ? path : short;
}

function folderOf(io: Io, [first]: readonly ComposeText[], { projectDirectory }: ComposeOptions): string {
  if (projectDirectory !== undefined) return resolve(io.cwd, projectDirectory);
  return first === undefined || first.name === STDIN ? io.cwd : dirname(resolve(io.cwd, first.name));
}

/** The variables of `--env-file`, or of `.env`: what the environment has stands above them. */
function variablesOf(io: Io, folder: string, { envFile }: ComposeOptions): Variables {
  const named = envFile ?? split(io.env["COMPOSE_ENV_FILES"], ",");
  let found: Variables = {};
  for (const path of named.length > 0 ? named.map(one => resolve(io.cwd, one)) : [resolve(folder, ".env")]) {
    const { text, why } = readFile(path);
    if (text === undefined && named.length > 0)
      throw new SkepError(
        "invalid_argument",
        "ENV_FILE_MISSING",
        `The file ${path} cannot be read (${why}): check its name.`,
      );
    const { env, problem, line } = parseEnvFile(text ?? "", { ...found, ...io.env });
    if (problem !== undefined)
      throw new SkepError(
        "invalid_argument",
        "ENV_FILE_BROKEN",
        `${path}:${line}: ${problem}. Write NAME=value lines.`,
      );
    found = { ...found, ...env };
  }
  return found;
}

function openAll(io: Io, given: readonly string[]): readonly ComposeText[] {
  if (given.length > 0) return given.map(file => open(io, file));
  for (const name of NAMES) {
    const { text } = readFile(resolve(io.cwd, name));
    if (text === undefined) continue;
    const overrides = [...OVERRIDES, ...OVERRIDES.map(one => `docker-${one}`)];
    for (const override of overrides) {
      const over = readFile(resolve(io.cwd, override));
      if (over.text === undefined) continue;
      io.err(`${override} changes what ${name} says, as with Compose; \`-f ${name}\` reads that one alone.\n`);
      return [
        { name, text },
        { name: override, text: over.text },
      ];
    }
    return [{ name, text }];
  }
  throw new SkepError(
    "invalid_argument",
    "COMPOSE_FILE_MISSING",
    `There is no Compose file in ${io.cwd}: name one with \`-f FILE\`, or \`-f -\` for standard input.`,
  );
}

function open(io: Io, file: string): ComposeText {
  if (file === "-") return { name: STDIN, text: io.readInput() };
  const { text, why } = readFile(resolve(io.cwd, file));
  if (text !== undefined) return { name: file, text };
  throw new SkepError(
    "invalid_argument",
    "COMPOSE_FILE_MISSING",
    `The file ${file} cannot be read (${why}): check its name, or use \`-f -\` for standard input.`,
  );
}

const WHY_UNREAD: Readonly<Record<string, string>> = {
  ENOENT: "it is not there",
  ENOTDIR: "it is not there",
  EISDIR: "it is a directory",
  EACCES: "you may not read it",
};

/** Reads no more of a file than any Compose file needs. */
function readFile(path: string): FileText {
  let text: string;
  try {
    text = readStart(path, MAX_FILE * 4 + 1);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return { text: undefined, why: WHY_UNREAD[code] ?? code };
  }
  if (text.length <= MAX_FILE) return { text };
  return { text: undefined, why: `it is too large: keep it below ${MAX_FILE} characters` };
}
