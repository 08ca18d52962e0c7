import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { DeploymentSpec as SpecMessage } from "@skep/api/gen/skep/v1/spec_pb.ts";
import type { ProjectDeploymentSchema, ProjectService } from "@skep/api/gen/skep/v1/project_service_pb.ts";
import { projectChanges } from "@skep/api/codec/words.ts";
import { SkepError } from "@skep/core/error.ts";
import { membersOf, projectMark } from "@skep/core/project/plan-project.ts";
import { refuseProject } from "@skep/core/project/project.ts";
import type { ProjectFault, ProjectStep, ProjectWish, WantedService } from "@skep/core/project/project.ts";
import type { DeploymentRecord } from "@skep/core/model/deployment.ts";
import { firstRecord } from "@skep/core/deployment/change.ts";
import { deploymentIdOf } from "@skep/core/model/instance-id.ts";
import { refuseCycle } from "./dependency-cycle.ts";
import { changeRequest } from "./caller.ts";
import { encodeMany } from "./deployment-read.ts";
import { mountKey, ownerOf, type Volume } from "@skep/core/model/volume.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Request } from "../store/request.ts";
import type { ApiDeps } from "./deps.ts";
import { mountingOf } from "./volumes.ts";
import { readAll } from "./lookups.ts";
import { acceptMessage, type SpecRules } from "./spec-intake.ts";

/** Deployments that are checked and written as one. */
export function projectHandlers(deps: ApiDeps): ServiceImpl<typeof ProjectService> {
  const { store, clock } = deps;
  return {
    applyProject: async (request, context) => {
      const { fixedPorts, defaultLimits } = deps;
      const rules = { fixedPorts, defaultLimits, reservedDomains: await deps.reservedDomains() };
      const { tenantId, project, keep, prune } = request;
      const { services, faults } = acceptAll(tenantId, request.specs, rules);
      faults.push(...(await cycleFaults(deps, tenantId, request.specs, services)));
      const wish = { tenantId, project, services, keep, prune, base: request.base === "" ? undefined : request.base };
      if (faults.length > 0) throw await refusalOf(deps, wish, faults, request.specs);
      if (request.dryRun) {
        const plan = await store.previewProject(wish, clock.now());
        if (plan.faults.length > 0) throw refuseProject(project, plan.faults);
        return { deployments: await encodeSteps(deps, wish, plan.steps), mark: "" };
      }
      const steps = await store.applyProject(wish, changeRequest(request, context), clock.now());
      deps.wake(`project ${tenantId}.${project}: applied`);
      const mark = projectMark(
        membersOf(
          project,
          steps.map(({ record }) => record),
        ),
      );
      return { deployments: await encodeSteps(deps, wish, steps), mark };
    },
    getProject: async ({ tenantId, project }) => {
      const members = membersOf(project, await recordsOf(deps, tenantId));
      if (members.length === 0) throw noProject(tenantId, project);
      return { deployments: await encodeMany(store, { tenantId }, members), mark: projectMark(members) };
    },
    listProjects: async ({ tenantId }) => {
      const records = await recordsOf(deps, tenantId);
      const encoded = await encodeMany(store, { tenantId }, records.filter(isMember));
      const byName = Map.groupBy(encoded, one => one.spec?.project ?? "");
      const projects = [...byName].map(([name, of]) => ({
        ...{ name, tenantId, deployments: of.length },
        converged: of.filter(({ status }) => status?.converged === true).length,
      }));
      return { projects: projects.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
    },
    deleteProject: async (request, context) => {
      const { tenantId, project } = request;
      const owner = ownerOf(tenantId, { project, name: "" });
      const volumes = request.withVolumes ? await store.listVolumes({ owner }) : [];
      if (volumes.length > 0) refuseMounted(volumes, project, await store.loadWorld());
      const wish = { tenantId, project, services: [], keep: [], prune: true, base: undefined };
      const by = changeRequest(request, context);
      const steps = await store.applyProject(wish, by, clock.now());
      if (steps.length === 0 && volumes.length === 0) throw noProject(tenantId, project);
      // Once nothing is wanted of it: what still ran would get new ones. A repetition does what is
      // left, so that nothing is lost where this ends in between.
      if (request.withVolumes) await store.giveUpVolumes(owner, withVolumesKey(by), clock.now());
      deps.wake(`project ${tenantId}.${project}: deleted`);
      return { deploymentIds: steps.map(({ record }) => record.deployment.id) };
    },
  };
}

/** One key may stand for one request: that of the volumes is made from the project's. */
function withVolumesKey({ actor, idempotencyKey }: Request): Request {
  return { actor, idempotencyKey: idempotencyKey === undefined ? undefined : `${idempotencyKey} volumes` };
}

/** @throws SkepError `failed_precondition`: another project mounts one of the volumes. */
function refuseMounted(volumes: readonly Volume[], project: string, world: World): void {
  const own = new Set(world.releases.filter(one => one.spec.project === project).map(one => one.deploymentId));
  for (const volume of volumes) {
    const others = mountingOf(volume, world).filter(id => !own.has(id));
    if (others.length === 0) continue;
    throw new SkepError(
      "failed_precondition",
      "VOLUME_IN_USE",
      `${others.join(", ")} mounts the volume ${mountKey(volume)}. Stop or change ${others.join(", ")} first, or leave the volumes.`,
    );
  }
}

interface Accepted {
  readonly services: readonly WantedService[];
  readonly faults: ProjectFault[];
}

/** Reads all specs, so that one answer names everything that is wrong with any of them. */
function acceptAll(tenantId: string, specs: readonly SpecMessage[], rules: SpecRules): Accepted {
  const faults: ProjectFault[] = [];
  const services = specs.flatMap((message, index) => {
    try {
      return [acceptMessage(tenantId, message, rules)];
    } catch (error) {
      faults.push(...faultsOf(error, index));
      return [];
    }
  });
  return { services, faults };
}

/** The issues of a refused spec, with its index. */
function faultsOf(error: unknown, index: number): readonly ProjectFault[] {
  if (!(error instanceof SkepError)) throw error;
  const { code, reason, issues, message } = error;
  const whole = { path: "spec", problem: message, advice: "" };
  return (issues.length === 0 ? [whole] : issues).map(issue => {
    const path = issue.path.replace(/^spec\b/, `specs[${index}]`);
    return { code, reason, issue: { ...issue, path } };
  });
}

/** Rounds of what waits for each other, among what is wished and what is recorded besides. */
async function cycleFaults(
  { store }: ApiDeps,
  tenantId: string,
  specs: readonly SpecMessage[],
  services: readonly WantedService[],
): Promise<readonly ProjectFault[]> {
  const wished = new Map(
    services.map(({ spec }) => [deploymentIdOf(tenantId, spec.name), firstRecord(tenantId, spec, 0)] as const),
  );
  const known = { getDeployment: async (id: string) => wished.get(id) ?? (await store.getDeployment(id)) };
  const faults: ProjectFault[] = [];
  for (const { spec } of services)
    try {
      await refuseCycle(known, tenantId, spec);
    } catch (error) {
      faults.push(
        ...faultsOf(
          error,
          specs.findIndex(({ name }) => name === spec.name),
        ),
      );
    }
  return faults;
}

/** What breaks a rule of specs, and beside it what the records forbid of the others. */
async function refusalOf(
  { store, clock }: ApiDeps,
  wish: ProjectWish,
  faults: readonly ProjectFault[],
  specs: readonly SpecMessage[],
): Promise<SkepError> {
  const found = await store.previewProject(wish, clock.now());
  // They are counted without those that were set aside.
  const index = (at: number): number => specs.findIndex(({ name }) => name === wish.services[at]?.spec.name);
  const more = found.faults.map(fault => ({
    ...fault,
    issue: {
      ...fault.issue,
      path: fault.issue.path.replace(/^specs\[(\d+)\]/, (_, at) => `specs[${index(Number(at))}]`),
    },
  }));
  return refuseProject(wish.project, [...faults, ...more]);
}

async function encodeSteps(
  { store }: ApiDeps,
  { tenantId }: ProjectWish,
  steps: readonly ProjectStep[],
): Promise<MessageInitShape<typeof ProjectDeploymentSchema>[]> {
  const deployments = await encodeMany(
    store,
    { tenantId },
    steps.map(({ record }) => record),
  );
  return steps.map(({ change, differences }, index) => ({
    change: projectChanges.toProto(change),
    differences: differences.map(difference => ({ ...difference })),
    deployment: deployments[index] ?? {},
  }));
}

async function recordsOf({ store }: ApiDeps, tenantId: string): Promise<readonly DeploymentRecord[]> {
  const records = await readAll(page => store.listDeployments({ tenantId }, page));
  if (records.length === 0 && (await store.getTenant(tenantId)) === undefined)
    throw new SkepError("not_found", "TENANT_NOT_FOUND", `There is no tenant ${tenantId}; create it first.`);
  return records;
}

function isMember({ deployment, release }: DeploymentRecord): boolean {
  return release.spec.project !== undefined && deployment.desired !== "deleted";
}

function noProject(tenantId: string, project: string): SkepError {
  return new SkepError(
    "not_found",
    "PROJECT_NOT_FOUND",
    `Tenant ${tenantId} has no project ${project}. List projects to see which there are.`,
    { details: { tenantId, project } },
  );
}
