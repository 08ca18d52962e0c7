import type { Reading } from "./draft.ts";
import { interpolate } from "./interpolate.ts";
import type { Variables } from "./interpolate.ts";
import { readSection } from "./section.ts";
import type { Spot } from "./tree.ts";
import { readBoolean, readPairs, readText, readWord } from "./values.ts";

/**
 * `environment`: a key without a value takes it from where `skep` runs, and is left out where it is
 * not set there.
 */
export function readEnvironment(spot: Spot, reading: Reading): Readonly<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const [key, pair] of readPairs(spot, reading.problems)) {
    if (!/^[^=\s]+$/.test(key))
      reading.problems.refuse(pair.spot, `\`${key}\` cannot name a variable`, "Use a name without blanks or `=`");
    const value = pair.value ?? own(reading.variables, key);
    if (value !== undefined) env[key] = value;
  }
  return env;
}

/** `env_file`: one path, several, or `{ path, required }`; later files win. */
export function readEnvFiles(spot: Spot, reading: Reading): Readonly<Record<string, string>> {
  const files = spot.kind === "list" ? spot.items : [spot];
  return Object.assign({}, ...files.map(file => readEnvFile(file, reading))) as Record<string, string>;
}

function readEnvFile(spot: Spot, reading: Reading): Readonly<Record<string, string>> {
  const { problems } = reading;
  let path: string | undefined;
  let required = true;
  let raw = false;
  if (spot.kind === "map")
    readSection(
      spot,
      {
        name: "an env_file entry",
        keys: {
          path: value => (path = readText(value, problems)),
          required: value => (required = readBoolean(value, problems) ?? true),
          format: value => (raw = readWord(value, problems, ["raw"]) !== undefined),
        },
      },
      problems,
    );
  else path = readText(spot, problems);
  if (path === undefined) return {};
  const text = reading.readFile(path);
  if (text === undefined) {
    if (required)
      problems.refuse(
        spot,
        `the file \`${path}\` cannot be read`,
        "Give a path relative to the Compose file, or set `required: false`",
      );
    return {};
  }
  const parsed = parseEnvFile(text, raw ? undefined : reading.variables);
  if (parsed.problem !== undefined)
    problems.refuse(spot, `line ${parsed.line} of \`${path}\`: ${parsed.problem}`, "Write NAME=value lines");
  return parsed.env;
}

/**
 * Lines `NAME=value`, with `export`, comments and quotes as Compose has them. Variables are
 * replaced outside of single quotes where `variables` are given. The first line that cannot be read
 * is named, from 1.
 */
export function parseEnvFile(
  text: string,
  variables: Variables | undefined,
): { readonly env: Readonly<Record<string, string>>; readonly problem: string | undefined; readonly line: number } {
  const env: Record<string, string> = {};
  const known: Record<string, string | undefined> = { ...variables };
  const lines = text.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^(?:export\s+)?([^\s=#]+)\s*(?:=\s*(.*))?$/.exec(line.trim());
    if (match === null) return { env, problem: "it is no NAME=value", line: index + 1 };
    const [, name = "", written] = match;
    if (name === "__proto__") return { env, problem: `\`${name}\` cannot name a variable`, line: index + 1 };
    const found = written === undefined ? own(variables, name) : valueOf(written, known, variables !== undefined);
    if (typeof found === "object") return { env, problem: found.problem, line: index + 1 };
    if (found !== undefined) known[name] = env[name] = found;
  }
  return { env, problem: undefined, line: 0 };
}

/** `constructor` and the like are no variables. */
function own(variables: Variables | undefined, name: string): string | undefined {
  return variables !== undefined && Object.hasOwn(variables, name) ? variables[name] : undefined;
}

function valueOf(written: string, variables: Variables, expand: boolean): string | { readonly problem: string } {
  if (!expand) return written;
  const single = /^'([^']*)'\s*(#.*)?$/.exec(written);
  if (single !== null) return single[1] ?? "";
  const double = /^"((?:[^"\\]|\\.)*)"\s*(#.*)?$/.exec(written);
  const text = double === null ? withoutComment(written) : unescape(double[1] ?? "");
  const result = interpolate(text, variables);
  return result.ok ? result.text : { problem: result.problem };
}

function withoutComment(written: string): string {
  const at = written.search(/\s#/);
  return at < 0 ? written : written.slice(0, at).trimEnd();
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter === "t" ? "\t" : letter));
}
