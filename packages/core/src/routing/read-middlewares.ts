import type { Route } from "../model/routing.ts";
import type { LabelSections } from "./label-tree.ts";
import type { LabelContext } from "./label-context.ts";
import { HTTP_MIDDLEWARES, REFUSED_MIDDLEWARES, TCP_MIDDLEWARES, type MiddlewareRule } from "./middlewares.ts";
import { clip, readOptions } from "./options.ts";

/**
 * A middleware as labels describe it: its options stand below its kind, as in Traefik's
 * configuration.
 */
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
  const instead = REFUSED_MIDDLEWARES.get(first);
  if (instead !== undefined) return issue(first, `the middleware ${first} is not available to tenants`, instead);
  const kind = Object.keys(known).find(one => one.toLowerCase() === first);
  if (kind === undefined)
    return issue(first, `"${clip(first)}" is no middleware`, `use one of ${Object.keys(known).join(", ")}`);
  const rule = known[kind]!;
  const own = new Map<string, string>();
  for (const [key, value] of labels) {
    const below = key.split(".").slice(1).join(".");
    if (below !== "") own.set(below, value);
    else if (rule.mayBeEmpty !== true || value.trim().toLowerCase() !== "true") {
      return issue(key, `the middleware ${kind} needs options`, `write ${prefix}.${kind.toLowerCase()}.<option>`);
    }
  }
  const { options, problems } = readOptions(own, rule.options);
  for (const { key, problem, advice } of problems) issue(`${first}.${key}`, problem, advice);
  if (problems.length > 0) return undefined;
  for (const [key, problem, advice] of shortOf(rule, options)) return issue(`${first}.${key}`, problem, advice);
  if (Object.keys(options).length === 0 && rule.mayBeEmpty !== true)
    return issue(first, `the middleware ${kind} needs options`, `write ${prefix}.${kind.toLowerCase()}.<option>`);
  return { [kind]: { ...rule.otherwise, ...options } };
}

/** What the options lack together, or say twice: the label, what is wrong, what to do. */
function* shortOf(rule: MiddlewareRule, options: object): Generator<readonly [string, string, string]> {
  for (const name of rule.needs ?? []) {
    if (!Object.hasOwn(options, name))
      yield [name.toLowerCase(), `the middleware has no ${name}`, "add the label, or remove the middleware"];
  }
  for (const names of rule.either ?? []) {
    const [first, second] = names.filter(name => isGiven(options, name));
    if (second !== undefined) yield [second.toLowerCase(), `${first} and ${second} exclude each other`, "keep one"];
  }
}

function isGiven(options: object, path: string): boolean {
  let at: unknown = options;
  for (const name of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return false;
    at = (at as Record<string, unknown>)[name];
  }
  return true;
}
