import type { Issue } from "../error.ts";

/**
 * Reads one part of a document as it was sent. What is wrong it notes by its path; what it answers
 * then counts for nothing.
 */
export type Read<T> = (json: unknown, path: string, issues: Issue[]) => T;

/** A part of an object: how it is read, and what stands for it where it is absent. */
interface Part {
  readonly read: Read<unknown>;
  readonly otherwise: { readonly value: unknown } | undefined;
}

/** What a document says, or everything that is wrong with it. */
export type Reading<T> =
  | { readonly value: T; readonly issues: readonly [] }
  | { readonly value: undefined; readonly issues: readonly Issue[] };

/** Reads a whole document: nothing of it is taken where anything is wrong. */
export function readWhole<T>(json: unknown, read: Read<T>): Reading<T> {
  const issues: Issue[] = [];
  const value = read(json, "", issues);
  return issues.length === 0 ? { value, issues: [] } : { value: undefined, issues };
}

/** A part that has to be there. */
export function need(read: Read<unknown>): Part {
  return { read, otherwise: undefined };
}

/** A part that may be absent, and what it is then. */
export function may(read: Read<unknown>, otherwise: unknown): Part {
  return { read, otherwise: { value: otherwise } };
}

/** A text. */
export const text: Read<string> = kindOf("string", "a text") as Read<string>;
/** True or false. */
export const truth: Read<boolean> = kindOf("boolean", "true or false") as Read<boolean>;
/** A finite number. */
export const number: Read<number> = (json, path, issues) => {
  if (typeof json === "number" && Number.isFinite(json)) return json;
  return note(issues, path, json, "a number", Number.NaN);
};

/** One of some words. */
export function oneOf<W extends string>(...words: readonly W[]): Read<W> {
  return (json, path, issues) => {
    const found = words.find(word => word === json);
    return found ?? note(issues, path, json, `one of ${words.join(", ")}`, words[0]!);
  };
}

/** A list. */
export function list<T>(item: Read<T>): Read<readonly T[]> {
  return (json, path, issues) => {
    if (!Array.isArray(json)) return note(issues, path, json, "a list", []);
    return json.map((one, index) => item(one, `${path}[${index}]`, issues));
  };
}

/** An object with these parts and no others. */
export function object<T>(parts: Readonly<Record<string, Part>>): Read<T> {
  return (json, path, issues) => {
    if (!isObject(json)) return note(issues, path, json, "an object", {} as T);
    for (const name of Object.keys(json))
      if (!Object.hasOwn(parts, name)) {
        const advice = `leave it out; known here: ${Object.keys(parts).join(", ")}`;
        issues.push({ path: under(path, name.slice(0, 64)), problem: "there is no such field", advice });
      }
    const entries = Object.entries(parts).map(([name, part]) => [name, readPart(json, name, part, path, issues)]);
    return Object.fromEntries(entries) as T;
  };
}

/** An object with names of its own. */
export function mapOf<T>(item: (name: string) => Read<T>): Read<ReadonlyMap<string, T>> {
  return (json, path, issues) => {
    if (!isObject(json)) return note(issues, path, json, "an object", new Map());
    const entries = Object.entries(json);
    return new Map(entries.map(([name, one]) => [name, item(name)(one, `${path}["${name.slice(0, 64)}"]`, issues)]));
  };
}

/** An object whose `kind` says which parts it has. */
export function byKind<T>(shapes: Readonly<Record<string, Readonly<Record<string, Part>>>>): Read<T> {
  const kinds = oneOf(...Object.keys(shapes));
  return (json, path, issues) => {
    if (!isObject(json)) return note(issues, path, json, "an object with a kind", {} as T);
    const known = issues.length;
    const kind = kinds(json["kind"], under(path, "kind"), issues);
    if (issues.length > known) return {} as T;
    return object<T>({ kind: need(text), ...shapes[kind] })(json, path, issues);
  };
}

/** Whether a value of JSON is an object, and no list. */
export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Notes what something is not. */
export function note<T>(issues: Issue[], path: string, json: unknown, wanted: string, otherwise: T): T {
  // What is deep is not shown: writing it out would go as deep.
  const shown = isObject(json)
    ? "an object"
    : Array.isArray(json)
      ? "a list"
      : String(JSON.stringify(json)).slice(0, 60);
  const problem = json === undefined ? "it is missing" : `${shown} is not ${wanted}`;
  issues.push({ path, problem, advice: `use ${wanted}` });
  return otherwise;
}

function readPart(
  json: Readonly<Record<string, unknown>>,
  name: string,
  { read, otherwise }: Part,
  path: string,
  issues: Issue[],
): unknown {
  const value = Object.hasOwn(json, name) ? json[name] : undefined;
  if (value === undefined && otherwise !== undefined) return otherwise.value;
  return read(value, under(path, name), issues);
}

function kindOf(kind: "string" | "boolean", wanted: string): Read<unknown> {
  return (json, path, issues) => (typeof json === kind ? json : note(issues, path, json, wanted, undefined));
}

function under(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
