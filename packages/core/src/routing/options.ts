import { headerProblem, type OptionKind, type OptionSchema } from "./option-kinds.ts";

/** What is wrong with one label, and what to do. */
export interface OptionProblem {
  readonly key: string;
  readonly problem: string;
  readonly advice: string;
}

/** Options that labels gave, nested as Traefik wants them, and what is wrong with the labels. */
export interface ReadOptions {
  readonly options: Readonly<Record<string, unknown>>;
  readonly problems: readonly OptionProblem[];
}

/**
 * Turns dotted labels such as `ratelimit.sourcecriterion.requesthost=true` into nested options of
 * the right types.
 */
export function readOptions(labels: ReadonlyMap<string, string>, schema: OptionSchema): ReadOptions {
  const options: Record<string, unknown> = {};
  const problems: OptionProblem[] = [];
  for (const [key, value] of [...labels].sort(([a], [b]) => compareKeys(a, b))) {
    const problem = set(options, key.split("."), value, schema);
    if (problem !== undefined) problems.push({ key, ...problem });
  }
  return { options, problems };
}

type Problem = Omit<OptionProblem, "key"> | undefined;

function set(into: Record<string, unknown>, path: readonly string[], value: string, schema: OptionSchema): Problem {
  const [head = "", ...rest] = path;
  const [, bare = head, index] = /^(.*?)(?:\[(\d{1,6})\])?$/.exec(head) ?? [];
  const known = Object.keys(schema);
  const name = known.find(one => one.toLowerCase() === bare.toLowerCase());
  if (name === undefined) {
    const usable = known.filter(one => schema[one]!.is !== "refused");
    return { problem: `"${clip(bare)}" is no option here`, advice: `use one of ${usable.join(", ")}` };
  }
  const kind = schema[name]!;
  if (kind.is === "refused") return { problem: kind.because, advice: kind.advice };
  if (kind.is === "section" || kind.is === "headers") return setBelow(into, name, rest, value, kind);
  if (rest.length > 0) return { problem: `"${clip(bare)}" has no options below it`, advice: `write ${bare}=<value>` };
  if (kind.is === "list") {
    const known = (into[name] as unknown[] | undefined) ?? [];
    return setList(into, name, index === undefined ? split(value) : [value.trim()], known, kind);
  }
  const read = kind.read(value.trim());
  if (read === undefined)
    return { problem: `"${clip(value)}" is not ${kind.what}`, advice: `write for example ${kind.example}` };
  into[name] = read;
  return undefined;
}

type Below = Extract<OptionKind, { is: "section" | "headers" }>;

function setBelow(
  into: Record<string, unknown>,
  name: string,
  rest: readonly string[],
  value: string,
  kind: Below,
): Problem {
  if (rest.length === 0 && kind.is === "section" && kind.isSwitch && value.trim().toLowerCase() === "true") {
    into[name] ??= {};
    return undefined;
  }
  if (rest.length === 0) return { problem: `"${name}" needs an option below it`, advice: `write ${name}.<option>` };
  const inner = (into[name] ??= {}) as Record<string, unknown>;
  if (kind.is === "section") return set(inner, rest, value, kind.of);
  const header = rest.join(".");
  const problem = headerProblem(header, value);
  if (problem !== undefined) return { problem, advice: "remove the label, or name another header" };
  if (Object.keys(inner).length >= kind.most)
    return { problem: `"${name}" has more than ${kind.most} headers`, advice: "set fewer" };
  inner[header] = value;
  return undefined;
}

function setList(
  into: Record<string, unknown>,
  name: string,
  texts: readonly string[],
  known: readonly unknown[],
  { item, most }: Extract<OptionKind, { is: "list" }>,
): Problem {
  if (known.length + texts.length > most)
    return { problem: `"${name}" has more than ${most} values`, advice: `give at most ${most}` };
  const wrong = texts.find(text => item.read(text) === undefined);
  if (wrong !== undefined)
    return { problem: `"${clip(wrong)}" is not ${item.what}`, advice: `write for example ${item.example}` };
  if (known.length + texts.length > 0) into[name] = [...known, ...texts.map(text => item.read(text))];
  return undefined;
}

function split(value: string): readonly string[] {
  return value
    .split(",")
    .map(one => one.trim())
    .filter(one => one !== "");
}

/** A part of what somebody wrote, short enough for a message. */
export function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

/** By name, and `[2]` before `[10]`. */
function compareKeys(a: string, b: string): number {
  const [nameA, indexA] = splitIndex(a);
  const [nameB, indexB] = splitIndex(b);
  if (nameA !== nameB) return nameA < nameB ? -1 : 1;
  return indexA - indexB;
}

function splitIndex(key: string): [string, number] {
  const found = /^(.*)\[(\d{1,6})\]$/.exec(key);
  return found === null ? [key, -1] : [found[1]!, Number(found[2])];
}
