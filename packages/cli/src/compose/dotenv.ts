import { interpolate } from "./interpolate.ts";
import type { Variables } from "./interpolate.ts";

/** What a file of variables says, and the first line that cannot be read, from 1. */
export interface EnvFile {
  readonly env: Readonly<Record<string, string>>;
  readonly problem: string | undefined;
  readonly line: number;
}

/** Blanks that end no line. */
const BLANK = /[\t\v\f\r \u0085\u00a0]/;
const NAME = /^[\p{L}\p{N}_.[\]-]+$/u;

/**
 * Reads `NAME=value` as Compose does: `export`, comments, quotes that may span lines, escapes
 * within double quotes, and variables outside of single quotes. `variables` win over what the file
 * says itself. A name without a value takes it from `variables`, and is left out where it is not
 * there.
 */
export function parseEnvFile(text: string, variables: Variables): EnvFile {
  const file = new Cursor(text.startsWith("\ufeff") ? text.slice(1) : text);
  const env: Record<string, string> = {};
  for (;;) {
    file.skipEmpty();
    if (file.isAtEnd) return { env, problem: undefined, line: 0 };
    const { line } = file;
    const name = file.name();
    if (name.problem !== undefined) return { env, problem: name.problem, line };
    const found = name.hasValue ? file.value({ ...env, ...variables }) : { text: own(variables, name.text) };
    if ("problem" in found) return { env, problem: found.problem, line };
    if (found.text !== undefined) env[name.text] = found.text;
  }
}

/** Lines `NAME=value` of the format `raw`: everything after the sign is the value. */
export function parseRawEnvFile(text: string, variables: Variables): EnvFile {
  const env: Record<string, string> = {};
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const equals = line.indexOf("=");
    const name = (equals < 0 ? line : line.slice(0, equals)).replace(/^\s*(export\s+)?/, "").trimEnd();
    const problem = nameProblem(name);
    if (problem !== undefined) return { env, problem, line: index + 1 };
    const value = equals < 0 ? own(variables, name) : line.slice(equals + 1);
    if (value !== undefined) env[name] = value;
  }
  return { env, problem: undefined, line: 0 };
}

/** `constructor` and the like are no variables. */
function own(variables: Variables, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

function nameProblem(name: string): string | undefined {
  if (name === "__proto__") return `\`${name}\` cannot name a variable`;
  return NAME.test(name) ? undefined : "it is no NAME=value";
}

/** Goes through the text of a file once. */
class Cursor {
  readonly #text: string;
  #at = 0;
  line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Past empty lines and comments. */
  skipEmpty(): void {
    for (; !this.isAtEnd; this.#next()) {
      if (this.#text[this.#at] === "#") this.#rest();
      else if (!/\s/.test(this.#text[this.#at] ?? "")) return;
    }
  }

  /** A name and the sign after it; `:` is taken for `=` as well. */
  name(): { readonly text: string; readonly hasValue: boolean; readonly problem: string | undefined } {
    const written = /[^=:\n]*/.exec(this.#text.slice(this.#at, this.#lineEnd()))?.[0] ?? "";
    this.#at += written.length;
    const hasValue = this.#text[this.#at] === "=" || this.#text[this.#at] === ":";
    this.#next();
    const text = written.trim().replace(/^export\s+/, "");
    return { text, hasValue, problem: nameProblem(text) };
  }

  /** The value after the sign, with its variables replaced. */
  value(known: Variables): { readonly text: string } | { readonly problem: string } {
    while (BLANK.test(this.#text[this.#at] ?? "")) this.#next();
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'") return expanded(this.#rest().replace(/ #.*$/, "").trimEnd(), known);
    const inner = this.#quoted(quote);
    if (inner === undefined) return { problem: "a quote is opened and never closed" };
    const after = this.#rest();
    if (!/^\s*(#.*)?$/.test(after))
      return { problem: `\`${after.trim().slice(0, 40)}\` stands after the closing quote` };
    return quote === "'" ? { text: inner } : expanded(unescaped(inner), known);
  }

  /** What stands between quotes; a backslash shields only the quote itself here. */
  #quoted(quote: string): string | undefined {
    let text = "";
    for (this.#next(); !this.isAtEnd; this.#next()) {
      const letter = this.#text[this.#at] ?? "";
      if (letter === quote) {
        this.#next();
        return text;
      }
      if (letter !== "\\") text += letter;
      else {
        this.#next();
        const shielded = this.#text[this.#at] ?? "";
        text += shielded === quote ? shielded : `\\${shielded}`;
      }
    }
    return undefined;
  }

  /** The rest of the line, which is passed. */
  #rest(): string {
    const end = this.#lineEnd();
    const text = this.#text.slice(this.#at, end);
    this.#at = end;
    return text;
  }

  #lineEnd(): number {
    const end = this.#text.indexOf("\n", this.#at);
    return end < 0 ? this.#text.length : end;
  }

  #next(): void {
    if (this.#text[this.#at] === "\n") this.line += 1;
    this.#at += 1;
  }
}

function expanded(text: string, known: Variables): { readonly text: string } | { readonly problem: string } {
  const result = interpolate(text, known);
  return result.ok ? { text: result.text } : { problem: result.problem };
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: "\u0007", b: "\b", c: "\\c", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" },
  // One dollar sign, after variables were replaced.
  ...{ $: "$$", '"': '"', "\\": "\\" },
};

/** The escapes of double quotes; a backslash before any other letter stays. */
function unescaped(text: string): string {
  return text.replace(/\\(?:0([0-7]{0,3})|([abcfnrtv$"\\]))/g, (whole, octal: string | undefined, letter: string) =>
    octal === undefined ? (ESCAPES[letter] ?? whole) : octal === "" ? whole : String.fromCharCode(parseInt(octal, 8)),
  );
}
