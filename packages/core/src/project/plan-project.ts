import { canonicalText, hashText } from "../converge/spec-hash.ts";
import { changedRecord, firstRecord } from "../deployment/change.ts";
import type { DeploymentChange } from "../deployment/change.ts";
import { quotaWords, refuseChange } from "../deployment/refusals.ts";
import type { Holdings } from "../deployment/refusals.ts";
import { diffSpecs, withoutValues } from "../deployment/spec-diff.ts";
import type { Difference } from "../deployment/spec-diff.ts";
import { SkepError } from "../error.ts";
import { footprint } from "../model/deployment.ts";
import type { DeploymentRecord } from "../model/deployment.ts";
import { deploymentIdOf } from "../model/instance-id.ts";
import type {
  PlannedStep,
  ProjectChange,
  ProjectFault,
  ProjectPlan,
  ProjectRecords,
  ProjectWish,
  WantedService,
} from "./project.ts";

/**
 * What has to be written so that a project is what was wished, and everything that forbids it. It
 * looks at the project as a whole: its quota is that of what it will be, in whatever order it gets
 * there.
 * @throws SkepError `not_found` (tenant), `aborted` (it is not what the wish is based on).
 */
export function planProject(wish: ProjectWish, found: ProjectRecords, now: number): ProjectPlan {
  if (found.tenant === undefined) throw refuseChange.noTenant(wish.tenantId);
  const mark = projectMark(membersOf(wish.project, found.records));
  if (wish.base !== undefined && wish.base !== mark) throw refuseChange.staleProject(wish.project);
  const faults: ProjectFault[] = [];
  const byId = new Map(found.records.map(record => [record.deployment.id, record]));
  const names = new Set<string>();
  const wanted = wish.services.flatMap((service, index) => {
    faults.push(...nameFaults(wish, service, index, names), ...domainFaults(service, index, found));
    const before = byId.get(deploymentIdOf(wish.tenantId, service.spec.name));
    try {
      return [before === undefined ? created(wish, service, now) : changed(service, before)];
    } catch (error) {
      if (!(error instanceof SkepError)) throw error;
      faults.push(faultOf(error, `specs[${index}].name`));
      return [];
    }
  });
  const steps = [...wanted, ...others(wish, found)];
  const quota = quotaFault(steps, found);
  return { steps, faults: quota === undefined ? faults : [...faults, quota] };
}

/**
 * What a project is at present, as a word that is another one after each change of it. A change
 * can be based on it.
 */
export function projectMark(members: readonly DeploymentRecord[]): string {
  const versions = members.map(({ deployment }) => [deployment.id, deployment.resourceVersion] as const);
  return hashText(canonicalText(versions.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

/** What belongs to a project and is not on its way out. */
export function membersOf(project: string, records: readonly DeploymentRecord[]): readonly DeploymentRecord[] {
  return records.filter(
    ({ deployment, release }) => release.spec.project === project && deployment.desired !== "deleted",
  );
}

function created({ tenantId }: ProjectWish, { spec, routes }: WantedService, now: number): PlannedStep {
  const record = firstRecord(tenantId, spec, now);
  return { change: "created", differences: [], record, before: undefined, write: { kind: "create", routes } };
}

function changed({ spec, routes }: WantedService, before: DeploymentRecord): PlannedStep {
  const { deployment, release } = before;
  const differences = diffSpecs({ ...release.spec, replicas: deployment.replicas }, spec);
  // Another number of instances needs no new release: nothing that runs has to be replaced.
  const isScale = differences.length === 1 && differences[0]?.path === "replicas";
  const content = differences.length === 0 ? {} : isScale ? { replicas: spec.replicas } : { spec, routes };
  const change: DeploymentChange = deployment.desired === "stopped" ? { ...content, desired: "run" } : content;
  const record = changedRecord(before, change, undefined);
  const write = record === before ? undefined : ({ kind: "change", change } as const);
  return {
    change: wordOf(differences, isScale, write !== undefined),
    differences: withoutValues(differences),
    ...{ record, before, write },
  };
}

function wordOf(differences: readonly Difference[], isScale: boolean, isWritten: boolean): ProjectChange {
  if (differences.length === 0) return isWritten ? "started" : "unchanged";
  return isScale ? "scaled" : "updated";
}

/** What the project has and the wish does not name. */
function others(wish: ProjectWish, { records }: ProjectRecords): readonly PlannedStep[] {
  const named = new Set([...wish.services.map(({ spec }) => spec.name), ...wish.keep]);
  const left = membersOf(wish.project, records).filter(({ deployment }) => !named.has(deployment.name));
  return left.map((before): PlannedStep => {
    if (!wish.prune) return { change: "left", differences: [], record: before, before, write: undefined };
    const change: DeploymentChange = { desired: "deleted" };
    const record = changedRecord(before, change, undefined);
    return { change: "removed", differences: [], record, before, write: { kind: "change", change } };
  });
}

/** A project has a name once, and only what says that it belongs to it. */
function nameFaults(
  { project }: ProjectWish,
  { spec }: WantedService,
  index: number,
  names: Set<string>,
): readonly ProjectFault[] {
  const fault = (field: string, problem: string, advice: string): ProjectFault => ({
    code: "invalid_argument",
    reason: "SPEC_INVALID",
    issue: { path: `specs[${index}].${field}`, problem, advice },
  });
  const isDouble = names.has(spec.name);
  names.add(spec.name);
  return [
    ...(isDouble ? [fault("name", `two specs are named "${spec.name}"`, "give each a name of its own")] : []),
    ...(spec.project === project
      ? []
      : [fault("project", `it belongs to ${spec.project ?? "no project"}`, `send it with the project ${project}`)]),
  ];
}

/** Each domain once: a router of HTTP and one of HTTPS ask for the same. */
function domainFaults(
  { spec, routes }: WantedService,
  index: number,
  { foreign }: ProjectRecords,
): readonly ProjectFault[] {
  const asked = new Map(routes.map(route => [route.domain, route]));
  return [...asked.values()].flatMap(({ domain, kind, router, container }) => {
    if (!foreign.has(domain)) return [];
    const until = foreign.get(domain);
    const at = spec.containers.findIndex(({ name }) => name === container);
    const label = `traefik.${kind}.routers.${router}.rule`;
    const key = Object.keys(spec.containers[at]?.labels ?? {}).find(one => one.toLowerCase() === label.toLowerCase());
    const path = `specs[${index}].containers[${at}].labels${key === undefined ? "" : `["${key}"]`}`;
    return [
      faultOf(until === undefined ? refuseChange.domainTaken(domain) : refuseChange.domainKept(domain, until), path),
    ];
  });
}

/** Nothing that only ends something, or leaves all as it is, is kept from that by a quota. */
function quotaFault(
  steps: readonly PlannedStep[],
  { tenant, held, records }: ProjectRecords,
): ProjectFault | undefined {
  const grows = steps.some(({ write, record }) => write !== undefined && record.deployment.desired === "run");
  if (tenant === undefined || !grows) return undefined;
  const after = new Map([...records, ...steps.map(({ record }) => record)].map(one => [one.deployment.id, one]));
  const sum = add(add(held, records, -1), [...after.values()], 1);
  if (quotaWords(sum, tenant.quota) === "") return undefined;
  return faultOf(refuseChange.quota(tenant.id, sum, tenant.quota), "");
}

function add(held: Holdings, records: readonly DeploymentRecord[], times: 1 | -1): Holdings {
  let { instances, cpuMillis, memoryBytes } = held;
  for (const { deployment, release } of records) {
    if (deployment.desired !== "run") continue;
    const one = footprint(release.spec);
    const count = deployment.replicas * times;
    instances += count;
    cpuMillis += count * one.cpuMillis;
    memoryBytes += count * one.memoryBytes;
  }
  return { instances, cpuMillis, memoryBytes };
}

function faultOf({ code, reason, message }: SkepError, path: string): ProjectFault {
  return { code, reason, issue: { path, problem: message.replace(/\.$/, ""), advice: "" } };
}
