import type { Route } from "../model/routing.ts";
import type { LabelSections } from "./label-tree.ts";
import type { LabelContext } from "./label-context.ts";
import { EMPTY_MIDDLEWARES, HTTP_MIDDLEWARES, REFUSED_MIDDLEWARES, TCP_MIDDLEWARES } from "./middlewares.ts";
import { readOptions } from "./options.ts";

/** A middleware as labels describe it: its options stand below its kind, as in Traefik's configuration. */
export type LabelledMiddleware = Route["middlewares"][number];

/** Reads `traefik.<kind>.middlewares.<name>.<what>.<option>`, by name. */
export function readMiddlewares(
  context: LabelContext,
  sections: LabelSections,
): ReadonlyMap<string, LabelledMiddleware> {
  const found = new Map<string, LabelledMiddleware>();
  for (const [name, labels] of sections.middlewares) {
    const options = readMiddleware(context, name, labels);
    if (options !== undefined) found.set(name, { name, options });
  }
  return found;
}

function readMiddleware(
  context: LabelContext,
  name: string,
  labels: ReadonlyMap<string, string>,
): Readonly<Record<string, unknown>> | undefined {
  const prefix = `traefik.${context.kind}.middlewares.${name}`;
  const issue = (key: string, problem: string, advice: string): undefined => {
    context.issues.push({ path: `${context.path}.labels["${prefix}.${key}"]`, problem, advice });
    return undefined;
  };
  const known = context.kind === "http" ? HTTP_MIDDLEWARES : TCP_MIDDLEWARES;
  const kinds = new Set([...labels.keys()].map(key => key.split(".")[0]!.toLowerCase()));
  const [first = ""] = kinds;
  if (kinds.size > 1)
    return issue("", `the middleware "${name}" is ${[...kinds].join(" and ")} at once`, "give each a name of its own");
  const instead = REFUSED_MIDDLEWARES[first];
  if (instead !== undefined) return issue(first, `the middleware ${first} is not available to tenants`, instead);
  const kind = Object.keys(known).find(one => one.toLowerCase() === first);
  if (kind === undefined)
    return issue(first, `"${first}" is no middleware`, `use one of ${Object.keys(known).join(", ")}`);
  const own = new Map<string, string>();
  for (const [key, value] of labels) {
    const below = key.split(".").slice(1).join(".");
    if (below !== "") own.set(below, value);
    else if (!EMPTY_MIDDLEWARES.has(kind) || value.toLowerCase() !== "true") {
      return issue(key, `the middleware ${kind} needs options`, `write ${prefix}.${kind.toLowerCase()}.<option>`);
    }
  }
  const { options, problems } = readOptions(own, known[kind]!);
  for (const { key, problem, advice } of problems) issue(`${first}.${key}`, problem, advice);
  if (Object.keys(options).length === 0 && !EMPTY_MIDDLEWARES.has(kind)) return undefined;
  return { [kind]: options };
}
