import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, visit } from "yaml";
import type { Alias, Document, Node } from "yaml";
import { tooDeepAt } from "./depth.ts";
import { interpolate } from "./interpolate.ts";
import type { Variables } from "./interpolate.ts";
import type { Position, Problems } from "./problems.ts";

/**
 * A value of the file with the place it stands at; anchors, merge keys and variables are already
 * resolved.
 */
export type Spot = MapSpot | ListSpot | ScalarSpot;

/** Every spot has its place in the file. */
export interface Place {
  readonly at: Position;
  readonly path: string;
}

/** One key of a mapping: `at` and `path` are the key's, the value has its own. */
export interface Entry extends Place {
  readonly key: string;
  readonly value: Spot;
}

/** A mapping, by key. */
export interface MapSpot extends Place {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, Entry>;
}

/** A list. */
export interface ListSpot extends Place {
  readonly kind: "list";
  readonly items: readonly Spot[];
}

/** A single value; text after its variables were replaced. */
export interface ScalarSpot extends Place {
  readonly kind: "scalar";
  readonly value: string | number | boolean | undefined;
}

/** A file may not unfold to more values than this: aliases can multiply without end. */
const MAX_VALUES = 20_000;
/** Mappings and lists may stand in each other this deep. */
const MAX_DEPTH = 100;
/** Largest file, in characters. */
export const MAX_FILE = 1_000_000;

/**
 * The whole file as spots, or `undefined` where it is no YAML mapping; what is wrong is added to
 * `problems`.
 */
export function readTree(text: string, variables: Variables, problems: Problems): MapSpot | undefined {
  const top = { at: { line: 1, column: 1 }, path: "" };
  if (text.length > MAX_FILE)
    return problems.refuse(top, `the file has ${text.length} characters`, `Keep it below ${MAX_FILE}`);
  const lines = new LineCounter();
  const deep = tooDeepAt(text, MAX_DEPTH);
  if (deep !== undefined)
    return problems.refuse({ at: deep, path: "" }, `the file nests more than ${MAX_DEPTH} deep here`, "Nest less");
  // The parser would compare each key with all others of its mapping: that none is there twice is
  // looked at below.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    const sentence = error.message.replace(/\.$/, "");
    problems.refuse({ at: { line, column: col }, path: "" }, sentence, "Correct the YAML at this place");
  }
  if (document.errors.length > 0) return undefined;
  const root = document.contents === null ? undefined : new Unfolder(document, lines, variables, problems).root();
  if (root?.kind === "map") return root;
  return problems.refuse(root ?? top, "the file holds no mapping", "Begin with `services:` and one entry per service");
}

/**
 * What each alias stands for: the last anchor of its name before it. Found in one walk, since each
 * search is one.
 */
function resolveAliases(document: Document): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const found = new Map<Alias, Node>();
  visit(document, {
    Alias: (_, alias) => {
      const node = anchors.get(alias.source);
      if (node !== undefined) found.set(alias, node);
    },
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return found;
}

/** Turns yaml's nodes into spots. */
class Unfolder {
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #variables: Variables;
  readonly #problems: Problems;
  readonly #aliases: ReadonlyMap<Alias, Node>;
  readonly #open = new Set<Node>();
  #values = 0;
  #isFull = false;

  constructor(document: Document, lines: LineCounter, variables: Variables, problems: Problems) {
    this.#document = document;
    this.#lines = lines;
    this.#variables = variables;
    this.#problems = problems;
    this.#aliases = resolveAliases(document);
  }

  root(): Spot | undefined {
    return this.#spot(this.#document.contents as Node, "");
  }

  #at(node: Node): Position {
    const { line, col } = this.#lines.linePos(node.range?.[0] ?? 0);
    return { line, column: col };
  }

  #spot(found: Node | null, path: string, fallback?: Position): Spot {
    if (found === null) return { kind: "scalar", at: fallback ?? { line: 1, column: 1 }, path, value: undefined };
    const node = isAlias(found) ? this.#aliases.get(found) : found;
    const at = this.#at(found);
    const nothing: ScalarSpot = { kind: "scalar", at, path, value: undefined };
    const problem = this.#obstacle(node);
    if (node === undefined || problem !== undefined) {
      if (problem !== undefined && !this.#isFull) this.#problems.refuse({ at, path }, problem, "Write the value out");
      this.#isFull ||= this.#values > MAX_VALUES;
      return nothing;
    }
    if (isScalar(node)) return this.#scalar(node.value, at, path);
    this.#open.add(node);
    const spot: Spot = isSeq(node)
      ? {
          kind: "list",
          at,
          path,
          items: node.items.map((item, index) => this.#spot(item as Node, `${path}[${index}]`)),
        }
      : isMap(node)
        ? { kind: "map", at, path, entries: this.#entries(node.items as readonly PairNode[], path) }
        : nothing;
    this.#open.delete(node);
    return spot;
  }

  /**
   * Why a node is not read. That there are too many values is said once: nothing after it is read
   * at all.
   */
  #obstacle(node: Node | undefined): string | undefined {
    if (node === undefined) return "the alias names no anchor";
    if (this.#open.has(node)) return "aliases unfold without end here";
    if (this.#open.size >= MAX_DEPTH) return `this stands more than ${MAX_DEPTH} mappings and lists deep`;
    return ++this.#values > MAX_VALUES ? `the file unfolds to more than ${MAX_VALUES} values here` : undefined;
  }

  #entries(pairs: readonly PairNode[], path: string): Map<string, Entry> {
    const own = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const pair of pairs) {
      const at = this.#at(pair.key);
      if (!isScalar(pair.key)) {
        this.#problems.refuse({ at, path }, "a key has to be plain text", "Write `name: value`");
        continue;
      }
      const key = String(pair.key.value);
      if (key === "<<" && pair.key.type === "PLAIN") {
        for (const [name, entry] of this.#merge(pair, path)) if (!merged.has(name)) merged.set(name, entry);
        continue;
      }
      const below = path === "" ? key : `${path}.${key}`;
      if (own.has(key))
        this.#problems.refuse({ at, path: below }, "the key is given twice; keys must be unique", "Keep one");
      own.set(key, { key, at, path: below, value: this.#spot(pair.value, below, at) });
    }
    return new Map([...merged, ...own]);
  }

  /** A merge key brings the keys of a mapping, or of several, the first of which wins. */
  #merge(pair: PairNode, path: string): [string, Entry][] {
    const spot = this.#spot(pair.value, path);
    const sources = spot.kind === "list" ? spot.items : [spot];
    return sources.flatMap(source => {
      // The mapping is read under its new parent's path, so that messages name the service that
      // uses it.
      if (source.kind === "map")
        return [...source.entries].map(([key, entry]): [string, Entry] => [key, moved(entry, source.path, path)]);
      this.#problems.refuse(source, "`<<` merges mappings only", "Give it an alias of a mapping, like `<<: *defaults`");
      return [];
    });
  }

  #scalar(value: unknown, at: Position, path: string): ScalarSpot {
    if (typeof value === "bigint") return { kind: "scalar", at, path, value: Number(value) };
    if (typeof value === "number" || typeof value === "boolean") return { kind: "scalar", at, path, value };
    if (typeof value !== "string") return { kind: "scalar", at, path, value: undefined };
    const result = interpolate(value, this.#variables);
    if (!result.ok) {
      this.#problems.spoil({ at, path }, result.problem, result.advice);
      return { kind: "scalar", at, path, value };
    }
    for (const name of result.unset)
      this.#problems.note(
        { at, path },
        `the variable ${name} is not set and reads as empty`,
        `Set it, or write \${${name}:-default}`,
      );
    return { kind: "scalar", at, path, value: result.text };
  }
}

interface PairNode {
  readonly key: Node;
  readonly value: Node | null;
}

function moved(entry: Entry, from: string, to: string): Entry {
  if (from === to) return entry;
  const path = to + entry.path.slice(from.length);
  return { ...entry, path, value: movedSpot(entry.value, from, to) };
}

function movedSpot(spot: Spot, from: string, to: string): Spot {
  const path = to + spot.path.slice(from.length);
  if (spot.kind === "list") return { ...spot, path, items: spot.items.map(item => movedSpot(item, from, to)) };
  if (spot.kind === "scalar") return { ...spot, path };
  const entries = new Map([...spot.entries].map(([key, entry]) => [key, moved(entry, from, to)]));
  return { ...spot, path, entries };
}
