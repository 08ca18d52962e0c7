import { isAddressRange, isRegularExpression } from "./traefik-values.ts";

/** One matcher of a rule, or its negation, for example PathPrefix(`/api`). */
export interface Literal {
  readonly matcher: string;
  readonly args: readonly string[];
  readonly negated: boolean;
}

/** A rule as alternatives, each a list of literals that must all hold. */
export type Alternatives = readonly (readonly Literal[])[];

/** The alternatives of a rule, or a sentence on what is wrong with it. */
export type ParsedRule =
  { readonly ok: true; readonly alternatives: Alternatives } | { readonly ok: false; readonly problem: string };

type Tree =
  | { readonly kind: "literal"; readonly literal: Literal }
  | { readonly kind: "and" | "or"; readonly left: Tree; readonly right: Tree }
  | { readonly kind: "not"; readonly of: Tree };

/** Matchers of Traefik v3 and how many arguments each takes. */
const MATCHERS = {
  http: {
    Host: [1, 8],
    Path: [1, 8],
    PathPrefix: [1, 8],
    PathRegexp: [1, 1],
    Method: [1, 8],
    Header: [2, 2],
    HeaderRegexp: [2, 2],
    Query: [1, 2],
    QueryRegexp: [1, 2],
    ClientIP: [1, 8],
  },
  tcp: { HostSNI: [1, 8], ClientIP: [1, 8], ALPN: [1, 8] },
} as const satisfies Record<string, Readonly<Record<string, readonly [number, number]>>>;

const REFUSED: ReadonlyMap<string, string> = new Map([
  ["hostregexp", "HostRegexp could match other tenants' domains: name each host with Host"],
  ["hostsniregexp", "HostSNIRegexp could match other tenants' domains: name each host with HostSNI"],
]);

// Each level is a call within a call, here and in Traefik.
const MOST_DEPTH = 32;

/** Matchers that took several values in Traefik v2; each value becomes an alternative. */
const SEVERAL = new Set(["Host", "HostSNI", "Path", "PathPrefix", "Method", "ClientIP", "ALPN"]);

// An alternative each for 64 hosts is plenty; without a bound a short rule could unfold into
// millions.
const MOST_ALTERNATIVES = 64;

/**
 * Reads a rule of Traefik v3, with the value lists of v2 where people still write them, and unfolds
 * it to alternatives.
 */
export function parseRule(text: string, kind: "http" | "tcp"): ParsedRule {
  try {
    return { ok: true, alternatives: unfold(new Parser(text, kind).parse(), false) };
  } catch (error) {
    if (error instanceof RuleProblem) return { ok: false, problem: error.message };
    throw error;
  }
}

/** Writes alternatives as a rule of Traefik v3. */
export function formatRule(alternatives: Alternatives): string {
  const texts = alternatives.map(literals => literals.map(formatLiteral).join(" && "));
  if (texts.length === 1) return texts[0]!;
  return texts.map((text, at) => (alternatives[at]!.length > 1 ? `(${text})` : text)).join(" || ");
}

function formatLiteral({ matcher, args, negated }: Literal): string {
  const quoted = args.map(arg => (arg.includes("`") ? JSON.stringify(arg) : `\`${arg}\``));
  return `${negated ? "!" : ""}${matcher}(${quoted.join(", ")})`;
}

class RuleProblem extends Error {}

/** Traefik leaves out a router with such a value, and says so in its own log only. */
function valueProblem(matcher: string, args: readonly string[]): string | undefined {
  if (matcher === "ClientIP") {
    const bad = args.find(arg => !isAddressRange(arg));
    return bad === undefined ? undefined : `"${bad.slice(0, 60)}" is no address and no range of addresses`;
  }
  if (!matcher.endsWith("Regexp")) return undefined;
  const bad = args.slice(-1).find(arg => !isRegularExpression(arg));
  return bad === undefined ? undefined : `"${bad.slice(0, 60)}" is no regular expression of the edge (RE2)`;
}

/** Recursive descent over `||`, `&&`, `!`, parentheses and matchers, in that order of binding. */
class Parser {
  readonly #text: string;
  readonly #kind: "http" | "tcp";
  #at = 0;
  #depth = 0;

  constructor(text: string, kind: "http" | "tcp") {
    this.#text = text;
    this.#kind = kind;
  }

  parse(): Tree {
    const tree = this.#or();
    this.#space();
    if (this.#at < this.#text.length)
      throw this.#problem(`does not expect "${this.#text.slice(this.#at, this.#at + 40)}"`);
    return tree;
  }

  #or(): Tree {
    let left = this.#and();
    while (this.#take("||")) left = { kind: "or", left, right: this.#and() };
    return left;
  }

  #and(): Tree {
    let left = this.#not();
    while (this.#take("&&")) left = { kind: "and", left, right: this.#not() };
    return left;
  }

  #not(): Tree {
    const negated = this.#take("!");
    if (!negated && !this.#take("(")) return this.#matcher();
    this.#depth += 1;
    if (this.#depth > MOST_DEPTH) throw new RuleProblem(`the rule is nested more than ${MOST_DEPTH} levels deep`);
    const tree: Tree = negated ? { kind: "not", of: this.#not() } : this.#or();
    if (!negated) this.#expect(")");
    this.#depth -= 1;
    return tree;
  }

  #matcher(): Tree {
    this.#space();
    const name = /^[A-Za-z]+/.exec(this.#text.slice(this.#at))?.[0];
    if (name === undefined) throw this.#problem("expects a matcher such as Host(`example.com`)");
    this.#at += name.length;
    const refused = REFUSED.get(name.toLowerCase());
    if (refused !== undefined) throw new RuleProblem(refused);
    const known: Readonly<Record<string, readonly [number, number]>> = MATCHERS[this.#kind];
    const matcher = Object.keys(known).find(one => one.toLowerCase() === name.toLowerCase());
    if (matcher === undefined)
      throw new RuleProblem(`"${name.slice(0, 60)}" is no matcher: use one of ${Object.keys(known).join(", ")}`);
    this.#expect("(");
    const args = [this.#string()];
    while (this.#take(",")) args.push(this.#string());
    this.#expect(")");
    const [least, most] = known[matcher]!;
    if (args.length < least || args.length > most)
      throw new RuleProblem(`${matcher} does not take ${args.length} values`);
    const problem = valueProblem(matcher, args);
    if (problem !== undefined) throw new RuleProblem(problem);
    return SEVERAL.has(matcher) ? args.map(arg => literal(matcher, [arg])).reduce(either) : literal(matcher, args);
  }

  #string(): string {
    this.#space();
    const rest = this.#text.slice(this.#at);
    const raw = /^`([^`]*)`/.exec(rest);
    if (raw !== null) {
      this.#at += raw[0].length;
      return raw[1]!;
    }
    const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(rest);
    if (quoted === null) throw this.#problem("expects a value in backticks, such as `example.com`");
    this.#at += quoted[0].length;
    return quoted[1]!.replace(/\\(.)/g, "$1");
  }

  #take(token: string): boolean {
    this.#space();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#problem(`expects "${token}"`);
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #problem(what: string): RuleProblem {
    return new RuleProblem(
      `the rule ${what} at character ${this.#at + 1} of "${this.#text.length > 200 ? `${this.#text.slice(0, 200)}...` : this.#text}"`,
    );
  }
}

function literal(matcher: string, args: readonly string[]): Tree {
  return { kind: "literal", literal: { matcher, args, negated: false } };
}

function either(left: Tree, right: Tree): Tree {
  return { kind: "or", left, right };
}

function unfold(tree: Tree, negated: boolean): Alternatives {
  if (tree.kind === "literal") return [[negated ? { ...tree.literal, negated: true } : tree.literal]];
  if (tree.kind === "not") return unfold(tree.of, !negated);
  const left = unfold(tree.left, negated);
  const right = unfold(tree.right, negated);
  // Negation turns "and" into "or" and the other way round.
  const isOr = (tree.kind === "or") !== negated;
  const all = isOr ? [...left, ...right] : left.flatMap(a => right.map(b => [...a, ...b]));
  if (all.length > MOST_ALTERNATIVES)
    throw new RuleProblem(`the rule has more than ${MOST_ALTERNATIVES} alternatives: split it into several routers`);
  return all;
}
