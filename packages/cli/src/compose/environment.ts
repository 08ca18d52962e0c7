import { parseEnvFile, parseRawEnvFile } from "./dotenv.ts";
import type { Reading } from "./draft.ts";
import { pathFrom } from "./paths.ts";
import { readSection } from "./section.ts";
import type { Spot } from "./spots.ts";
import { readBoolean, readPairs, readText, readWord } from "./values.ts";

/** Names to values. */
export type Texts = Readonly<Record<string, string>>;

/**
 * `environment`: a key without a value takes it from where `skep` runs, and is left out where it is
 * not set there.
 */
export function readEnvironment(spot: Spot, reading: Reading): Texts {
  const env: Record<string, string> = {};
  for (const [key, pair] of readPairs(spot, reading.problems)) {
    if (!/^[^=\s]+$/.test(key))
      reading.problems.refuse(pair.spot, `\`${key}\` cannot name a variable`, "Use a name without blanks or `=`");
    const { variables } = pair.spot.at.source;
    const value = pair.value ?? (Object.hasOwn(variables, key) ? variables[key] : undefined);
    if (value !== undefined) env[key] = value;
  }
  return env;
}

/**
 * `env_file` and `label_file`: one path, several, or `{ path, required, format }`; later files win.
 * Variables in them are those of the project, then `known`, then those of the files before.
 */
export function readEnvFiles(spot: Spot, known: Texts, reading: Reading): Texts {
  let found: Texts = {};
  for (const file of spot.kind === "list" ? spot.items : [spot])
    found = { ...found, ...readEnvFile(file, { ...found, ...known }, reading) };
  return found;
}

function readEnvFile(spot: Spot, known: Texts, reading: Reading): Texts {
  const { problems } = reading;
  let path: string | undefined;
  let required = true;
  let isRaw = false;
  if (spot.kind === "map") {
    readSection(
      spot,
      {
        name: "an env_file entry",
        keys: {
          path: value => (path = readText(value, problems)),
          required: value => (required = readBoolean(value, problems) ?? true),
          format: value => (isRaw = readWord(value, problems, ["raw"]) !== undefined),
        },
      },
      problems,
    );
    if (!spot.entries.has("path")) problems.refuse(spot, "the entry has no `path`", "Write `path: file.env`");
  } else path = readText(spot, problems);
  if (path === undefined) return {};
  const { folder, variables } = spot.at.source;
  const { text, why } = reading.readFile(pathFrom(folder, path));
  if (text === undefined) {
    if (required)
      problems.refuse(
        spot,
        `the file \`${path}\` cannot be read: ${why}`,
        "Give a path relative to the Compose file, or set `required: false`",
      );
    return {};
  }
  const parsed = (isRaw ? parseRawEnvFile : parseEnvFile)(text, { ...known, ...variables });
  if (parsed.problem !== undefined)
    problems.refuse(spot, `line ${parsed.line} of \`${path}\`: ${parsed.problem}`, "Write NAME=value lines");
  return parsed.env;
}
