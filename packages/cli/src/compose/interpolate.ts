/** Variables that `${NAME}` may name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The text with its variables replaced, or why it could not be, and what to do. */
export type Interpolated =
  | { readonly ok: true; readonly text: string; readonly unset: readonly string[] }
  | { readonly ok: false; readonly problem: string; readonly advice: string };

/**
 * Variables may nest this deep, and a text may grow to this length: a file could ask for any amount
 * otherwise.
 */
const MAX_DEPTH = 32;
const MAX_LENGTH = 1_000_000;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;

/**
 * Replaces variables as the Compose specification says: `$NAME`, `${NAME}`, `${NAME:-default}`,
 * `${NAME-default}`, `${NAME:?words}`, `${NAME?words}`, `${NAME:+other}`, `${NAME+other}`, and `$$`
 * for one dollar. Defaults may nest. `unset` names the variables that were empty because nobody set
 * them.
 */
export function interpolate(text: string, variables: Variables, depth = 0): Interpolated {
  if (!text.includes("$")) return { ok: true, text, unset: [] };
  if (depth > MAX_DEPTH)
    return {
      ok: false,
      problem: `variables stand in each other's defaults more than ${MAX_DEPTH} deep`,
      advice: "Give the inner ones a variable of their own",
    };
  const unset: string[] = [];
  let out = "";
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0) return { ok: true, text: out + text.slice(at), unset };
    out += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === "$") {
      out += "$";
      at = dollar + 2;
      continue;
    }
    const found = next === "{" ? braced(text, dollar, variables, depth) : bare(text, dollar, variables);
    if (!found.ok) return found;
    out += found.text;
    if (out.length > MAX_LENGTH)
      return {
        ok: false,
        problem: `the text is longer than ${MAX_LENGTH} characters with its variables`,
        advice: "Use shorter values, or fewer variables in one text",
      };
    unset.push(...found.unset);
    at = found.end;
  }
  return { ok: true, text: out, unset };
}

type Found = Extract<Interpolated, { ok: false }> | (Extract<Interpolated, { ok: true }> & { readonly end: number });

function bare(text: string, dollar: number, variables: Variables): Found {
  const name = NAME.exec(text.slice(dollar + 1))?.[0];
  if (name === undefined)
    return {
      ok: false,
      problem: `the dollar sign in \`${clip(text.slice(dollar))}\` begins no variable`,
      advice: "Write $$ for a dollar sign, or ${NAME} for a variable",
    };
  const value = valueOf(variables, name);
  return { ok: true, text: value ?? "", unset: value === undefined ? [name] : [], end: dollar + 1 + name.length };
}

/** `constructor` and the like are no variables. */
function valueOf(variables: Variables, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

function braced(text: string, dollar: number, variables: Variables, depth: number): Found {
  const close = closing(text, dollar + 2);
  const inner = close === undefined ? undefined : text.slice(dollar + 2, close);
  const name = inner === undefined ? undefined : NAME.exec(inner)?.[0];
  const operator = name === undefined ? undefined : /^(:?[-?+]|$)/.exec((inner ?? "").slice(name.length))?.[0];
  if (close === undefined || inner === undefined || name === undefined || operator === undefined)
    return {
      ok: false,
      problem: `\`${clip(text.slice(dollar))}\` is not a variable that can be read`,
      advice: "Write ${NAME}, ${NAME:-default} or ${NAME:?what is missing}, and $$ for a dollar sign",
    };
  const value = valueOf(variables, name);
  const rest = inner.slice(name.length + operator.length);
  const present = value !== undefined && (!operator.startsWith(":") || value !== "");
  const end = close + 1;
  if (operator.endsWith("+") || operator.endsWith("-")) {
    const wantsRest = operator.endsWith("+") ? present : !present;
    if (!wantsRest) return { ok: true, text: operator.endsWith("+") ? "" : (value ?? ""), unset: [], end };
    const nested = interpolate(rest, variables, depth + 1);
    return nested.ok ? { ...nested, end } : nested;
  }
  if (operator.endsWith("?") && !present) {
    const words = interpolate(rest, variables, depth + 1);
    const why = words.ok ? words.text : rest;
    return {
      ok: false,
      problem: `the variable ${name} is ${value === undefined ? "not set" : "empty"}${why === "" ? "" : `: ${why}`}`,
      advice: `Set it, for example \`${name}=... skep deploy\`, or write a line ${name}=... into the file .env`,
    };
  }
  return { ok: true, text: value ?? "", unset: value === undefined ? [name] : [], end };
}

/**
 * Where the brace that ends a variable stands. Braces of a default (JSON, for example) go in pairs;
 * where they do not, only those of variables count.
 */
function closing(text: string, from: number): number | undefined {
  return closingBy(text, from, () => true) ?? closingBy(text, from, at => text[at - 1] === "$");
}

function closingBy(text: string, from: number, opens: (at: number) => boolean): number | undefined {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "{" && opens(at)) depth++;
    if (text[at] === "}" && --depth === 0) return at;
  }
  return undefined;
}

function clip(text: string): string {
  return text.length > 24 ? `${text.slice(0, 24)}...` : text;
}
