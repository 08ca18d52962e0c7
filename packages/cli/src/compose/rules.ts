import type { Issue } from "@skep/core/error.ts";
import { validateSpec } from "@skep/core/model/validate.ts";
import { routesFromSpec } from "@skep/core/routing/labels.ts";
import type { Assembled } from "./assemble.ts";
import type { ServiceDraft } from "./draft.ts";
import type { ComposeIssue, Place, Problems } from "./problems.ts";
import { below } from "./spots.ts";
import type { Spot } from "./spots.ts";

/**
 * Where Compose says what a field of a container's spec says, for those that are called otherwise.
 */
const CONTAINER_KEYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  env: [["environment"], ["env_file"]],
  labels: [["labels"], ["deploy", "labels"], ["label_file"]],
  workingDir: [["working_dir"]],
  stopSignal: [["stop_signal"]],
  ports: [["ports"], ["expose"]],
  "resources.cpuMillis": [["deploy", "resources", "limits", "cpus"], ["cpus"], ["deploy", "resources"]],
  "resources.memoryBytes": [["deploy", "resources", "limits", "memory"], ["mem_limit"], ["deploy", "resources"]],
  "resources.pids": [["deploy", "resources", "limits", "pids"], ["pids_limit"], ["deploy", "resources"]],
  "resources.reserveCpuMillis": [["deploy", "resources", "reservations", "cpus"]],
  "resources.reserveMemoryBytes": [["deploy", "resources", "reservations", "memory"], ["mem_reservation"]],
  health: [["healthcheck"], ["x-skep", "probe"]],
  shmBytes: [["shm_size"]],
  extraHosts: [["extra_hosts"]],
  dropCapabilities: [["cap_drop"]],
};

/** The same for the whole deployment. */
const DEPLOYMENT_KEYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  replicas: [["deploy", "replicas"], ["scale"]],
  "placement.constraints": [["deploy", "placement", "constraints"]],
  "placement.maxPerNode": [["deploy", "placement", "max_replicas_per_node"]],
  "placement.antiAffinity": [["x-skep", "antiAffinity"]],
  "placement.strategy": [["x-skep", "strategy"]],
  restart: [["deploy", "restart_policy"], ["restart"], ["deploy", "mode"]],
  mode: [["deploy", "mode"]],
  job: [["x-skep", "maxConcurrent"]],
  update: [["deploy", "update_config"]],
  stopGraceMs: [["stop_grace_period"]],
  exclusive: [["x-skep", "exclusive"]],
  dependsOn: [["depends_on"]],
  networks: [["networks"]],
  source: [["x-skep", "source"]],
};

/**
 * Holds a deployment to the same rules as the platform does, and finds the place of each thing that
 * breaks one. Nothing is said of a value that is refused already, and of what follows from it.
 */
export function checkRules({ spec, services }: Assembled, problems: Problems): void {
  const { issues } = routesFromSpec("default", `default.${spec.name}`, spec);
  const lacksPorts = services.some(({ value }) => problems.isRefused(`${value.path}.ports`, value.path));
  const found = [...validateSpec(spec), ...issues]
    // What names may be is said where they are read.
    .filter(({ path }) => !/^(containers\[\d+\]\.name|name|project|service|dependsOn\[\d+\])$/.test(path))
    .map(issue => ({ issue, ...placeOf(issue, services) }))
    .filter(({ issue, place, service }) => {
      const lacksImage = issue.path.endsWith(".image") && below(service.value, "image") === undefined;
      const follows = service.value.kind !== "map" || lacksImage || (lacksPorts && needsPorts(issue));
      return !follows && !problems.isRefused(place.path, service.value.path);
    });
  for (const { issue, place } of found) problems.refuse(place, issue.problem, capital(issue.advice));
}

/** Whether an issue would not be there if all ports could have been read. */
function needsPorts({ path }: Issue): boolean {
  return /\.(health\.probe\.port|labels\[".*\.service"\])$/.test(path);
}

interface Found {
  readonly place: Place;
  readonly service: ServiceDraft;
}

/** What the platform says of a field of a spec, as it is said of the file. */
export function issueAt({ services }: Assembled, issue: Issue): ComposeIssue {
  const { at, path } = placeOf(issue, services).place;
  const { source, line, column } = at;
  return { file: source.name, line, column, path, problem: issue.problem, advice: capital(issue.advice) };
}

/** A container of a spec is told by its index, or by its name. */
function placeOf(issue: Issue, services: Assembled["services"]): Found {
  const [, index, name, field] = /^containers(?:\[(\d+)\]|\.([a-z0-9-]+))\.?(.*)$/.exec(issue.path) ?? [];
  const named = services.find(({ container }) => container.name === name);
  const service = (index === undefined ? named : services[Number(index)]) ?? services[0];
  return { service, place: placeIn(service, field ?? issue.path, field === undefined) };
}

function placeIn(service: ServiceDraft, field: string, isOfDeployment: boolean): Place {
  const table = isOfDeployment ? DEPLOYMENT_KEYS : CONTAINER_KEYS;
  const name = Object.keys(table).find(
    key => field === key || (/^[.[]/.test(field.slice(key.length)) && field.startsWith(key)),
  );
  const paths = name === undefined ? [[/^\w*/.exec(field)?.[0] ?? ""]] : (table[name] ?? []);
  const last = /\["(.*)"\]|\[(\d+)\]/.exec(field.slice(name?.length ?? 0));
  const inner = last === null ? [] : [last[1] ?? Number(last[2])];
  const whole = paths.map(path => walk(service.value, [...path, ...inner])).find(place => place !== undefined);
  if (whole !== undefined) return whole;
  for (const path of paths) {
    const around = walk(service.value, path);
    if (around !== undefined) return { ...around, path: [around.path, last?.[1] ?? []].flat().join(".") };
  }
  return { at: service.place.at, path: `${service.place.path}.${field}` };
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
