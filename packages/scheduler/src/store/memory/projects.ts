import { projectAnswer } from "@skep/api/codec/stored/project-answer.ts";
import { planProject } from "@skep/core/project/plan-project.ts";
import { refuseProject } from "@skep/core/project/project.ts";
import type { PlannedStep, ProjectRecords, ProjectStep, ProjectWish } from "@skep/core/project/project.ts";
import { deploymentIdOf } from "@skep/core/model/instance-id.ts";
import { inOrder, type Records } from "../memory-records.ts";
import type { ProjectStore } from "../project-store.ts";
import type { Request } from "../request.ts";
import { once } from "./once.ts";
import { foreignDomain, getDeployment, heldBy, write, writeNew } from "./spec.ts";

/** The twin's projects. */
export function createProjects(records: Records, pass: <T>(call: string, run: () => T) => Promise<T>): ProjectStore {
  return {
    previewProject: (wish, now) =>
      pass("previewProject", () => planProject(wish, projectRecords(records, wish, now), now)),
    applyProject: (wish, request, now) =>
      pass("applyProject", () => {
        const operation = `project.apply ${wish.tenantId}.${wish.project}`;
        return once(records, request, operation, wish, now, projectAnswer, audit => {
          const { steps, faults } = planProject(wish, projectRecords(records, wish, now), now);
          if (faults.length > 0) throw refuseProject(wish.project, faults);
          audit();
          return steps.map(step => carryOut(records, step, request, now));
        });
      }),
  };
}

function projectRecords(records: Records, wish: ProjectWish, now: number): ProjectRecords {
  const { tenantId, project, services } = wish;
  const ids = new Set(services.map(({ spec }) => deploymentIdOf(tenantId, spec.name)));
  const found = inOrder(records.deployments.values(), ({ id }) => id)
    .filter(one => one.tenantId === tenantId)
    .map(({ id }) => getDeployment(records, id)!)
    .filter(({ deployment, release }) => ids.has(deployment.id) || release.spec.project === project);
  const foreign = new Map<string, number | undefined>();
  for (const { domain } of services.flatMap(({ routes }) => routes)) {
    const other = foreignDomain(records, tenantId, domain, now);
    if (other !== undefined) foreign.set(domain, other.until);
  }
  return { tenant: records.tenants.get(tenantId), records: found, held: heldBy(records, tenantId), foreign };
}

function carryOut(records: Records, step: PlannedStep, { actor }: Request, now: number): ProjectStep {
  const { change, differences, record, write: what } = step;
  if (what === undefined) return { change, differences, record };
  records.audits.push({ at: now, actor, action: `deployment.${what.kind} ${record.deployment.id}` });
  if (what.kind === "create") return { change, differences, record: writeNew(records, record, what.routes, now) };
  write(records, record, what.change.routes, now);
  return { change, differences, record };
}
