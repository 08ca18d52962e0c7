import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments, visit } from "yaml";
import type { Alias, Document, Node } from "yaml";
import { tooDeepAt } from "./depth.ts";
import { interpolate } from "./interpolate.ts";
import type { Place, Position, Problems, Source } from "./problems.ts";
import { movedEntry, nothingAt } from "./spots.ts";
import type { Entry, MapSpot, MergeTag, ScalarSpot, Spot } from "./spots.ts";

/** A project may not unfold to more values than this: aliases can multiply without end. */
export const MAX_VALUES = 20_000;
/** Mappings and lists may stand in each other this deep. */
const MAX_DEPTH = 100;
/** Largest file, in characters. */
export const MAX_FILE = 1_000_000;

/** The YAML of a file, before its variables are replaced. */
export interface Parsed {
  readonly source: Source;
  readonly documents: readonly Document[];
  readonly lines: LineCounter;
}

/** The first place of a file. */
export function topOf(source: Source): Place {
  return { at: { source, line: 1, column: 1 }, path: "" };
}

/** Reads the YAML of a file; `undefined` where it is none, which is added to `problems`. */
export function parseYaml(text: string, source: Source, problems: Problems): Parsed | undefined {
  const top = topOf(source);
  if (text.length > MAX_FILE)
    return problems.refuse(top, `the file has ${text.length} characters`, `Keep it below ${MAX_FILE}`);
  const lines = new LineCounter();
  const deep = tooDeepAt(text, MAX_DEPTH);
  if (deep !== undefined)
    return problems.refuse(
      { at: { source, ...deep }, path: "" },
      `the file nests more than ${MAX_DEPTH} deep here`,
      "Nest less",
    );
  // Every value is read as text, since numbers would be rounded; which words mean more is looked at
  // below. The parser would compare each key with all others of its mapping: so is that.
  const read = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    schema: "failsafe",
  });
  const documents: readonly Document[] = Array.isArray(read) ? read : [];
  let isWhole = true;
  for (const error of documents.flatMap(document => document.errors)) {
    const { line, col } = lines.linePos(error.pos[0]);
    const sentence = error.message.replace(/\.$/, "");
    problems.refuse({ at: { source, line, column: col }, path: "" }, sentence, "Correct the YAML at this place");
    isWhole = false;
  }
  return isWhole ? { source, documents, lines } : undefined;
}

/**
 * The documents of a file as spots. What is no mapping, or holds nothing at all, is added to
 * `problems`.
 */
export function unfold({ source, documents, lines }: Parsed, problems: Problems): readonly MapSpot[] {
  const full = documents.filter(({ contents }) => contents !== null && !isEmptyText(contents as Node));
  const roots = (full.length > 0 ? full : documents.slice(0, 1)).map(document =>
    document.contents === null ? undefined : new Unfolder(document, lines, source, problems).root(),
  );
  if (roots.length === 0) roots.push(undefined);
  return roots.flatMap(root => {
    if (root?.kind === "map") return [root];
    problems.refuse(
      root ?? topOf(source),
      "the file holds no mapping",
      "Begin with `services:` and one entry per service",
    );
    return [];
  });
}

/** A document of a comment alone between two `---`. */
function isEmptyText(node: Node): boolean {
  return isScalar(node) && node.value === "" && node.type === "PLAIN";
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

/** Tags that say how a file is merged. */
const MERGE_TAGS: Readonly<Record<string, MergeTag>> = { "!reset": "reset", "!override": "override" };
/** Tags of YAML's own that say what stands there anyway. */
const PLAIN_TAG = /^(tag:yaml\.org,2002:|!!)(str|int|float|bool|null|map|seq)$|^!$/;

/** Turns yaml's nodes into spots. */
class Unfolder {
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #source: Source;
  readonly #problems: Problems;
  readonly #aliases: ReadonlyMap<Alias, Node>;
  readonly #open = new Set<Node>();
  #values = 0;
  #isFull = false;

  constructor(document: Document, lines: LineCounter, source: Source, problems: Problems) {
    this.#document = document;
    this.#lines = lines;
    this.#source = source;
    this.#problems = problems;
    this.#aliases = resolveAliases(document);
  }

  root(): Spot | undefined {
    return this.#spot(this.#document.contents as Node, "");
  }

  #at(node: Node): Position {
    const { line, col } = this.#lines.linePos(node.range?.[0] ?? 0);
    return { source: this.#source, line, column: col };
  }

  #spot(found: Node | null, path: string, fallback?: Position): Spot {
    if (found === null) return nothingAt({ at: fallback ?? topOf(this.#source).at, path });
    const node = isAlias(found) ? this.#aliases.get(found) : found;
    const at = this.#at(found);
    const nothing = nothingAt({ at, path });
    const problem = this.#obstacle(node);
    if (node === undefined || problem !== undefined) {
      if (problem !== undefined && !this.#isFull) this.#problems.refuse({ at, path }, problem, "Write the value out");
      this.#isFull ||= this.#values > MAX_VALUES;
      return nothing;
    }
    const tag = this.#tag(node, { at, path });
    if (tag === "reset") return { ...nothing, tag };
    const spot = this.#value(node, at, path);
    return tag === undefined ? spot : { ...spot, tag };
  }

  #value(node: Node, at: Position, path: string): Spot {
    if (isScalar(node)) return this.#scalar(node, at, path);
    this.#open.add(node);
    const spot: Spot = isSeq(node)
      ? { kind: "list", at, path, items: this.#items(node.items as readonly Node[], path) }
      : isMap(node)
        ? { kind: "map", at, path, entries: this.#entries(node.items as readonly PairNode[], path) }
        : nothingAt({ at, path });
    this.#open.delete(node);
    return spot;
  }

  #items(nodes: readonly Node[], path: string): readonly Spot[] {
    return nodes
      .map((item, index) => this.#spot(item, `${path}[${index}]`))
      .filter(item => {
        if (item.tag !== "reset") return true;
        this.#problems.note(item, "`!reset` leaves this item out", "Remove the line");
        return false;
      });
  }

  #tag(node: Node, place: Place): MergeTag | undefined {
    const { tag } = node as { readonly tag?: string };
    if (tag === undefined || PLAIN_TAG.test(tag)) return undefined;
    const known = MERGE_TAGS[tag];
    if (known === undefined)
      this.#problems.refuse(place, `the tag \`${tag}\` is not known`, "Remove it; known are !reset and !override");
    return known;
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
      const node = isAlias(pair.key) ? this.#aliases.get(pair.key) : pair.key;
      if (!isScalar(node)) {
        this.#problems.refuse({ at, path }, "a key has to be plain text", "Write `name: value`");
        continue;
      }
      const isMerge = node.tag?.endsWith(":merge") === true || (node.value === "<<" && node.type === "PLAIN");
      const key = isMerge ? "<<" : String(node.value);
      if (isMerge) {
        for (const [name, entry] of this.#merge(pair, path)) if (!merged.has(name)) merged.set(name, entry);
        continue;
      }
      const under = path === "" ? key : `${path}.${key}`;
      if (own.has(key))
        this.#problems.refuse({ at, path: under }, "the key is given twice; keys must be unique", "Keep one");
      own.set(key, { key, at, path: under, value: this.#spot(pair.value, under, at) });
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
        return [...source.entries].map(([key, entry]): [string, Entry] => [key, movedEntry(entry, source.path, path)]);
      this.#problems.refuse(source, "`<<` merges mappings only", "Give it an alias of a mapping, like `<<: *defaults`");
      return [];
    });
  }

  #scalar(
    node: { readonly value: unknown; readonly type?: string; readonly tag?: string },
    at: Position,
    path: string,
  ): ScalarSpot {
    const text = String(node.value);
    if (node.type === "PLAIN" && (node.tag === undefined || !node.tag.endsWith("str"))) {
      // The words of YAML 1.2: `yes` and `on` are text.
      if (/^(~|null|Null|NULL)?$/.test(text)) return nothingAt({ at, path });
      if (/^(true|True|TRUE)$/.test(text)) return { kind: "scalar", at, path, value: true };
      if (/^(false|False|FALSE)$/.test(text)) return { kind: "scalar", at, path, value: false };
    }
    const result = interpolate(text, this.#source.variables);
    if (!result.ok) {
      this.#problems.spoil({ at, path }, result.problem, result.advice);
      return { kind: "scalar", at, path, value: text };
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
