import type { Issue } from "@skep/core/error.ts";
import { validateSpec } from "@skep/core/model/validate.ts";
import { routesFromSpec } from "@skep/core/routing/labels.ts";
import type { Assembled } from "./assemble.ts";
import type { Problems } from "./problems.ts";
import type { Place, Spot } from "./tree.ts";

/**
 * Where Compose says what a field of a container's spec says, for those that are called otherwise.
 */
const CONTAINER_KEYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  env: [["environment"]],
  labels: [["labels"], ["deploy", "labels"]],
  workingDir: [["working_dir"]],
  stopSignal: [["stop_signal"]],
  ports: [["ports"], ["expose"]],
  resources: [["deploy", "resources"]],
  health: [["healthcheck"], ["x-skep", "probe"]],
};

/** The same for the whole deployment. */
const DEPLOYMENT_KEYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  replicas: [["deploy", "replicas"], ["scale"]],
  "placement.constraints": [["deploy", "placement", "constraints"]],
  "placement.maxPerNode": [["deploy", "placement", "max_replicas_per_node"]],
  "placement.antiAffinity": [["x-skep", "antiAffinity"]],
  "placement.strategy": [["x-skep", "strategy"]],
  restart: [["deploy", "restart_policy"], ["restart"]],
  update: [["deploy", "update_config"]],
  stopGraceMs: [["stop_grace_period"]],
  exclusive: [["x-skep", "exclusive"]],
};

/**
 * Holds a deployment to the same rules as the platform does, and finds the place of each thing that
 * breaks one.
 */
export function checkRules({ spec, services }: Assembled, problems: Problems): void {
  const { issues } = routesFromSpec("default", `default.${spec.name}`, spec);
  for (const issue of [...validateSpec(spec), ...issues]) {
    const place = placeOf(issue, services);
    problems.refuse(place, issue.problem, capital(issue.advice));
  }
}

function placeOf(issue: Issue, services: Assembled["services"]): Place {
  const container = /^containers\[(\d+)\]\.?(.*)$/.exec(issue.path);
  const service = services[Number(container?.[1] ?? 0)] ?? services[0];
  if (service === undefined) return { at: { line: 1, column: 1 }, path: "" };
  const rest = container?.[2] ?? issue.path;
  const table = container === null ? DEPLOYMENT_KEYS : CONTAINER_KEYS;
  const name = Object.keys(table).find(
    key => rest === key || (/^[.[]/.test(rest.slice(key.length)) && rest.startsWith(key)),
  );
  const paths = name === undefined ? [[/^\w*/.exec(rest)?.[0] ?? ""]] : (table[name] ?? []);
  const last = /\["(.*)"\]|\[(\d+)\]/.exec(rest.slice(name?.length ?? 0));
  const inner = last === null ? [] : [last[1] ?? Number(last[2])];
  for (const path of paths) {
    const found = walk(service.value, [...path, ...inner]);
    if (found !== undefined) return found;
    const around = walk(service.value, path);
    if (around !== undefined) return { ...around, path: [around.path, last?.[1] ?? []].flat().join(".") };
  }
  return service.place;
}

/**
 * The place of a value below a spot; a word is a key, or the beginning of a list's `key=value`; a
 * number an index.
 */
function walk(spot: Spot, path: readonly (string | number)[]): Place | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return spot;
  if (spot.kind === "map") {
    const entry = spot.entries.get(String(step));
    return entry === undefined ? undefined : rest.length === 0 ? entry : walk(entry.value, rest);
  }
  if (spot.kind !== "list") return undefined;
  const item =
    typeof step === "number"
      ? spot.items[step]
      : spot.items.find(one => one.kind === "scalar" && String(one.value).startsWith(`${step}=`));
  return item === undefined ? undefined : walk(item, rest);
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
