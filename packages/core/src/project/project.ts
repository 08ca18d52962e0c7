import { SkepError } from "../error.ts";
import type { Issue } from "../error.ts";
import type { DeploymentChange } from "../deployment/change.ts";
import type { Holdings } from "../deployment/refusals.ts";
import type { Difference } from "../deployment/spec-diff.ts";
import type { DeploymentRecord, DeploymentSpec } from "../model/deployment.ts";
import type { Route } from "../model/routing.ts";
import type { Tenant, TenantId } from "../model/tenant.ts";

/** A spec that may be recorded, with the routes that its labels describe. */
export interface WantedService {
  readonly spec: DeploymentSpec;
  readonly routes: readonly Route[];
}

/** What a project is to be. */
export interface ProjectWish {
  readonly tenantId: TenantId;
  readonly project: string;
  readonly services: readonly WantedService[];
  /** Names of deployments that belong to it still, though nothing is said of them now. */
  readonly keep: readonly string[];
  /** Whether what is neither wanted nor kept goes. */
  readonly prune: boolean;
  /** The mark of the project that the wish is based on; absent for whatever is there. */
  readonly base: string | undefined;
}

/** What the records say of a project, as one snapshot. */
export interface ProjectRecords {
  readonly tenant: Tenant | undefined;
  /** What belongs to the project, and what has one of the names that are wanted. */
  readonly records: readonly DeploymentRecord[];
  /** What the tenant's running deployments may use, all together. */
  readonly held: Holdings;
  /**
   * Wanted domains that another tenant has; with the time until which those are kept that nothing
   * routes.
   */
  readonly foreign: ReadonlyMap<string, number | undefined>;
}

/**
 * What becomes of one deployment of a project. `left` stays, though the project has left it out.
 */
export type ProjectChange = "created" | "updated" | "scaled" | "started" | "unchanged" | "left" | "removed";

/** One deployment of a project, as it is when the wish has come true. */
export interface ProjectStep {
  readonly change: ProjectChange;
  readonly differences: readonly Difference[];
  readonly record: DeploymentRecord;
}

/** A step with what has to be written for it. */
export interface PlannedStep extends ProjectStep {
  /** Absent for what is created. */
  readonly before: DeploymentRecord | undefined;
  /** Absent where nothing is written. */
  readonly write: { readonly kind: "create"; readonly routes: readonly Route[] } | ChangeStep | undefined;
}

interface ChangeStep {
  readonly kind: "change";
  readonly change: DeploymentChange;
}

/** Why a project is not what was wished; `issue` has a path in the wish. */
export interface ProjectFault {
  readonly code: SkepError["code"];
  readonly reason: string;
  readonly issue: Issue;
}

/** All that a wish leads to. With any fault nothing of it may be written. */
export interface ProjectPlan {
  readonly steps: readonly PlannedStep[];
  readonly faults: readonly ProjectFault[];
}

/** The refusal of a project, with everything that is wrong with it. */
export function refuseProject(project: string, faults: readonly ProjectFault[]): SkepError {
  const [first] = faults;
  const isOne = (of: (fault: ProjectFault) => string): boolean => new Set(faults.map(of)).size === 1;
  const many = faults.length === 1 ? "one reason" : `${faults.length} reasons`;
  return new SkepError(
    isOne(fault => fault.code) ? (first?.code ?? "internal") : "failed_precondition",
    isOne(fault => fault.reason) ? (first?.reason ?? "") : "PROJECT_REFUSED",
    `Nothing of the project ${project} was changed, for ${many}:`,
    { details: { project }, issues: faults.map(({ issue }) => issue) },
  );
}
