import { basename, dirname, resolve } from "node:path";
import type { Command } from "commander";
import { SkepError } from "@skep/core/error.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { parseEnvFile } from "../compose/environment.ts";
import { parseCompose } from "../compose/parse.ts";
import { formatIssue } from "../compose/problems.ts";
import { MAX_FILE } from "../compose/tree.ts";
import { readStart } from "../io.ts";
import type { Io } from "../io.ts";

/** Names that Compose looks for, in its order. */
const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/** Which file a command is to read, and which of its services. */
export interface ComposeOptions {
  readonly file?: string;
  readonly profile?: readonly string[];
}

/** Adds the options that say so. */
export function composeOptions(command: Command): Command {
  return command
    .option("-f, --file <FILE>", "the Compose file (else the usual names in this directory)")
    .option("--profile <NAME...>", "also the services of these profiles (`*` for all)");
}

/**
 * Reads a Compose file (`-` is standard input, none the first usual name of this directory) into
 * deployments. Variables come from the environment and from `.env` beside the file, and profiles
 * also from COMPOSE_PROFILES, separated by commas. Notes go to the error output.
 * @throws SkepError `invalid_argument` with every reason to refuse the file.
 */
export function readComposeFile(io: Io, { file: given, profile = [] }: ComposeOptions): readonly DeploymentSpec[] {
  const { file, text } = given === "-" ? { file: "-", text: io.readInput() } : open(io, given);
  const folder = file === "-" ? io.cwd : dirname(resolve(io.cwd, file));
  const env = { ...dotEnv(folder), ...io.env };
  const fromEnv = (env["COMPOSE_PROFILES"] ?? "").split(",").map(name => name.trim());
  const composed = parseCompose(text, {
    file: file === "-" ? "standard input" : file,
    env,
    profiles: [...profile, ...fromEnv].filter(name => name !== ""),
    readFile: path => readIfThere(resolve(folder, path)),
  });
  for (const note of composed.notes) io.err(`${formatIssue(note)}\n`);
  if (composed.issues.length > 0) {
    const many = composed.issues.length === 1 ? "one reason" : `${composed.issues.length} reasons`;
    throw new SkepError(
      "invalid_argument",
      "COMPOSE_REFUSED",
      `${file === "-" ? "The input" : basename(file)} cannot be deployed, for ${many}, and nothing was changed:`,
      {
        issues: composed.issues.map(issue => ({
          path: `${issue.file}:${issue.line}:${issue.column}`,
          problem: `${issue.path === "" ? "" : `${issue.path}: `}${issue.problem}`,
          advice: issue.advice,
        })),
      },
    );
  }
  return composed.deployments;
}

function open(io: Io, given: string | undefined): { readonly file: string; readonly text: string } {
  for (const file of given === undefined ? NAMES : [given]) {
    const text = readIfThere(resolve(io.cwd, file));
    if (text !== undefined) return { file, text };
  }
  throw new SkepError(
    "invalid_argument",
    "COMPOSE_FILE_MISSING",
    given === undefined
      ? `There is no Compose file in ${io.cwd}: name one with \`-f FILE\`, or \`-f -\` for standard input.`
      : `The file ${given} cannot be read (${whyUnread(resolve(io.cwd, given))}): check its name, or use \`-f -\` for standard input.`,
  );
}

function whyUnread(path: string): string {
  try {
    readStart(path, 1);
    return "it is there now";
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return WHY_UNREAD[code] ?? code;
  }
}

const WHY_UNREAD: Readonly<Record<string, string>> = {
  ENOENT: "it is not there",
  ENOTDIR: "it is not there",
  EISDIR: "it is a directory",
  EACCES: "you may not read it",
};

function dotEnv(folder: string): Readonly<Record<string, string>> {
  const path = resolve(folder, ".env");
  const { env, problem, line } = parseEnvFile(readIfThere(path) ?? "", {});
  if (problem === undefined) return env;
  throw new SkepError("invalid_argument", "ENV_FILE_BROKEN", `${path}:${line}: ${problem}. Write NAME=value lines.`);
}

/**
 * @throws SkepError `invalid_argument` `FILE_TOO_LARGE` before more of a file is read than any
 * Compose file needs.
 */
function readIfThere(path: string): string | undefined {
  let text: string | undefined;
  try {
    text = readStart(path, MAX_FILE * 4 + 1);
  } catch {
    return undefined;
  }
  if (text.length <= MAX_FILE) return text;
  throw new SkepError(
    "invalid_argument",
    "FILE_TOO_LARGE",
    `${path} is too large: keep it below ${MAX_FILE} characters.`,
  );
}
