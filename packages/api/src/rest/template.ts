/** A parsed path of a google.api.http rule, for example `/api/v1/nodes/{node_id}:drain`. */
export interface PathTemplate {
  readonly text: string;
  /** Dotted field paths in the order of the pattern's groups. */
  readonly variables: readonly string[];
  readonly pattern: RegExp;
  /** How specific it is; of several that match, the highest is meant. */
  readonly weight: number;
}

/** What `*` and `**` stand for; a colon ends a segment, because what follows it is the verb. */
const ONE = "[^/:]+";
const REST = ".+";

/**
 * Parses a path template: literals, `*`, `**`, `{field}`, `{a.b=projects/*}` and a `:verb` at the
 * end.
 * @throws Error for a template that does not begin with a slash or has an open brace.
 */
export function parseTemplate(text: string): PathTemplate {
  if (!text.startsWith("/")) throw new Error(`The path template "${text}" must begin with a slash.`);
  const variables: string[] = [];
  let source = "";
  let literals = 0;
  for (const part of text.split(/(\{[^}]*\})/)) {
    const inside = /^\{([a-z0-9_.]+)(?:=([^}]+))?\}$/i.exec(part);
    if (inside !== null) {
      variables.push(inside[1] ?? "");
      source += `(${wildcards(inside[2] ?? "*")})`;
    } else {
      if (/[{}]/.test(part)) throw new Error(`The path template "${text}" has a brace without its partner.`);
      source += wildcards(part);
      literals += part.replaceAll("*", "").length;
    }
  }
  const verb = /:[a-z]+$/i.test(text.replaceAll(/\{[^}]*\}/g, "")) ? 1000 : 0;
  return { text, variables, pattern: new RegExp(`^${source}$`), weight: literals + verb };
}

function wildcards(text: string): string {
  return text
    .split(/(\*\*|\*)/)
    .map(part => (part === "**" ? REST : part === "*" ? ONE : part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")))
    .join("");
}

/**
 * The variables of a path that fits, percent-decoded, or `undefined` where it does not fit.
 * @throws URIError for a broken percent escape.
 */
export function matchTemplate(template: PathTemplate, path: string): ReadonlyMap<string, string> | undefined {
  const found = template.pattern.exec(path);
  if (found === null) return undefined;
  return new Map(template.variables.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? "")]));
}
