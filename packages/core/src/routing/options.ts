/**
 * Kinds of option values, after Traefik's own types. They must be right to the letter: one option that Traefik
 * cannot decode makes it refuse the whole configuration, every tenant's.
 */
export type OptionKind =
  | "text"
  | "flag"
  | "whole"
  | "duration"
  | "texts"
  | { readonly map: "text" }
  /** `isSwitch`: it means something without any option below it, and `<name>=true` asks for it. */
  | { readonly of: OptionSchema; readonly isSwitch?: boolean };

/** Options by their names in Traefik's configuration; labels may write them in any case. */
export type OptionSchema = Readonly<Record<string, OptionKind>>;

/** Options that labels gave, nested as Traefik wants them, and what is wrong with the labels. */
export interface ReadOptions {
  readonly options: Readonly<Record<string, unknown>>;
  readonly problems: readonly { readonly key: string; readonly problem: string; readonly advice: string }[];
}

/** Turns dotted labels such as `ratelimit.sourcecriterion.requesthost=true` into nested options of the right types. */
export function readOptions(labels: ReadonlyMap<string, string>, schema: OptionSchema): ReadOptions {
  const options: Record<string, unknown> = {};
  const problems: { key: string; problem: string; advice: string }[] = [];
  for (const [key, value] of [...labels].sort(([a], [b]) => compareKeys(a, b))) {
    const problem = set(options, key.split("."), value, schema);
    if (problem !== undefined) problems.push({ key, ...problem });
  }
  return { options, problems };
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_|~-]+$/;

type Problem = { readonly problem: string; readonly advice: string } | undefined;

function set(into: Record<string, unknown>, path: readonly string[], value: string, schema: OptionSchema): Problem {
  const [head = "", ...rest] = path;
  const [, bare = head, index] = /^(.*?)(?:\[(\d+)\])?$/.exec(head) ?? [];
  const name = Object.keys(schema).find(one => one.toLowerCase() === bare.toLowerCase());
  if (name === undefined) {
    return { problem: `"${bare}" is no option here`, advice: `use one of ${Object.keys(schema).join(", ")}` };
  }
  const kind = schema[name]!;
  if (typeof kind === "object") {
    if (rest.length === 0 && "of" in kind && kind.isSwitch === true && value.toLowerCase() === "true") {
      into[name] ??= {};
      return undefined;
    }
    if (rest.length === 0) return { problem: `"${bare}" needs an option below it`, advice: `write ${bare}.<option>` };
    const inner = (into[name] ??= {}) as Record<string, unknown>;
    if ("of" in kind) return set(inner, rest, value, kind.of);
    const field = rest.join(".");
    if (!HEADER_NAME.test(field) || field === "__proto__") {
      return { problem: `"${field}" is no header name`, advice: "use letters, digits and dashes" };
    }
    inner[field] = value;
    return undefined;
  }
  if (rest.length > 0) return { problem: `"${bare}" has no options below it`, advice: `write ${bare}=<value>` };
  if (kind === "texts") {
    const values =
      index === undefined
        ? value
            .split(",")
            .map(one => one.trim())
            .filter(one => one !== "")
        : [value];
    into[name] = [...((into[name] as string[] | undefined) ?? []), ...values];
    return undefined;
  }
  const read = readValue(kind, value.trim());
  if (read === undefined)
    return { problem: `"${value}" is not ${NAMES[kind]}`, advice: `write for example ${EXAMPLES[kind]}` };
  into[name] = read;
  return undefined;
}

const NAMES = { text: "a text", flag: "true or false", whole: "a whole number", duration: "a duration" } as const;
const EXAMPLES = { text: "a text", flag: "true", whole: "10", duration: "10s, 500ms or 1m" } as const;

function readValue(kind: "text" | "flag" | "whole" | "duration", value: string): unknown {
  switch (kind) {
    case "text":
      return value;
    case "flag":
      return /^(true|false)$/i.test(value) ? value.toLowerCase() === "true" : undefined;
    case "whole":
      return /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
    case "duration":
      return isDuration(value) ? value : undefined;
  }
}

const SECONDS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };
// Traefik counts nanoseconds in 64 bits; far below that no sum of units can overflow.
const LONGEST_SECONDS = 366 * 86_400;

/** Whether the text is a duration as Traefik reads them: whole seconds, or numbers with units. */
function isDuration(text: string): boolean {
  if (/^\d{1,9}$/.test(text)) return Number(text) <= LONGEST_SECONDS;
  if (!/^(\d{1,9}(\.\d{1,6})?(ns|us|ms|s|m|h))+$/.test(text)) return false;
  const parts = text.matchAll(/([\d.]+)(ns|us|ms|s|m|h)/g);
  return [...parts].reduce((sum, part) => sum + Number(part[1]) * SECONDS[part[2]!]!, 0) <= LONGEST_SECONDS;
}

/** By name, and `[2]` before `[10]`. */
function compareKeys(a: string, b: string): number {
  const [nameA, indexA] = splitIndex(a);
  const [nameB, indexB] = splitIndex(b);
  if (nameA !== nameB) return nameA < nameB ? -1 : 1;
  return indexA - indexB;
}

function splitIndex(key: string): [string, number] {
  const found = /^(.*)\[(\d+)\]$/.exec(key);
  return found === null ? [key, -1] : [found[1]!, Number(found[2])];
}
