import { SkepError } from "../error.ts";
import { changedScaling, DEFAULT_SCALING, type ScalingChange, type ScalingPolicy } from "./autoscale.ts";
import type { Connector, Mode, WorkspaceId } from "./connector.ts";
import type { HostStrategy } from "./host.ts";
import { withResources, type WantedResources } from "./resources.ts";
import { hiddenPasswordIn, keepSecrets } from "./secrets.ts";
import { refusedBy, type Purpose } from "./selection.ts";

/** A workspace as it is recorded. */
export interface WorkspaceRecord {
  /** That of its connector. */
  readonly id: WorkspaceId;
  readonly tenantId: string;
  /**
   * Its secret is a digest (kit's `secret-digest.ts`); a database's address may hold a password.
   */
  readonly connector: Connector;
  readonly purpose: Purpose;
  readonly strategy: HostStrategy;
  /** `deleted`: the record goes once no host has it. */
  readonly desired: "run" | "stopped" | "deleted";
  /**
   * Of one that is deleted: whether its database and files stay, are to be removed by a host, or
   * are. Only then the record goes.
   */
  readonly data: "keep" | "remove" | "removed";
  /** Connections that it may have to its database (R93, R134). */
  readonly databasePool: number;
  readonly scaling: ScalingPolicy;
  /** What scaling made of it: how much room it has. It raises no version. */
  readonly instances: number;
  /** When that last changed, ms; `undefined` for never. */
  readonly scaledAt: number | undefined;
  /** How often a restart was asked for: a host that began it at another number begins it anew. */
  readonly restarts: number;
  /** How often it was placed. Hosting writes it, and `waiting`; neither raises the version. */
  readonly epoch: number;
  /** Why it has no host; empty where it has one. */
  readonly waiting: string;
  /** What is wrong with its pod, and what to do; empty for nothing. Its keeper writes it. */
  readonly podProblem: string;
  /** How often its rules and schemas changed, which raises no other version. */
  readonly rulesVersion: number;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Connections to its database that a new workspace may have (R93). */
const DEFAULT_POOL = 10;

/** What a new workspace is made of. */
export type NewWorkspace = Pick<WorkspaceRecord, "tenantId" | "connector" | "purpose" | "strategy">;

/** What is wanted otherwise; absent parts stay as they are. */
export interface WorkspaceChange {
  readonly connector?: Connector;
  readonly purpose?: Purpose;
  readonly strategy?: HostStrategy;
  readonly desired?: WorkspaceRecord["desired"];
  /** With `deleted`: its data goes as well. */
  readonly data?: "remove";
  readonly databasePool?: number;
  /** Bounds part by part, after those of `connector`. */
  readonly resources?: WantedResources;
  readonly scaling?: ScalingChange;
  readonly restart?: true;
}

/**
 * The record of a new workspace. @throws SkepError `failed_precondition` `MODE_REFUSED`,
 * `invalid_argument` `PASSWORD_HIDDEN`.
 */
export function firstWorkspace(wanted: NewWorkspace, now: number): WorkspaceRecord {
  refuseMode(wanted.connector.id, modeOf(wanted.connector), wanted.purpose);
  refuseHidden(wanted.connector);
  const { tenantId, connector, purpose, strategy } = wanted;
  return {
    ...{ id: connector.id, tenantId, connector, purpose, strategy, desired: "run", data: "keep", restarts: 0 },
    ...{ databasePool: DEFAULT_POOL, scaling: DEFAULT_SCALING, instances: 1, scaledAt: undefined },
    ...{ epoch: 0, waiting: "", podProblem: "", rulesVersion: 0, version: 1, createdAt: now, updatedAt: now },
  };
}

/**
 * The record after a change; the same object where nothing is to change.
 * @throws SkepError `aborted` `STALE_VERSION`, `failed_precondition` `WORKSPACE_DELETED`,
 * `MODE_FIXED` or `MODE_REFUSED`, `invalid_argument` `PASSWORD_HIDDEN`.
 */
export function changedWorkspace(
  before: WorkspaceRecord,
  change: WorkspaceChange,
  expectVersion: number | undefined,
  now: number,
): WorkspaceRecord {
  const { id, version } = before;
  if (expectVersion !== undefined && expectVersion !== version)
    throw refuseWorkspace.staleVersion(id, expectVersion, version);
  const { restart, resources, scaling = {}, ...parts } = change;
  if (Object.keys(change).length === 0) return before;
  if (before.desired === "deleted" && change.desired === "deleted") {
    if (change.data === undefined || before.data !== "keep") return before;
    return { ...before, data: change.data, version: version + 1, updatedAt: now };
  }
  if (before.desired === "deleted") throw refuseWorkspace.beingDeleted(id);
  const connector = keepSecrets(change.connector ?? before.connector, before.connector);
  refuseHidden(connector);
  const changed = { ...before, ...parts, connector, scaling: changedScaling(before.scaling, scaling) };
  const bounded = resources === undefined ? changed : withResources(changed, resources);
  const after = { ...bounded, version: version + 1, updatedAt: now };
  if (modeOf(after.connector) !== modeOf(before.connector))
    throw refuseWorkspace.modeFixed(id, modeOf(before.connector));
  refuseMode(id, modeOf(after.connector), after.purpose);
  return restart === true ? { ...after, restarts: before.restarts + 1 } : after;
}

function refuseHidden(connector: Connector): void {
  const where = hiddenPasswordIn(connector);
  if (where !== undefined) throw refuseWorkspace.hiddenPassword(connector.id, where);
}

function modeOf(connector: Connector): Mode {
  return connector.config.resources.type;
}

/**
 * Refuses a mode where the purpose binds to the other one.
 * @throws SkepError `failed_precondition` `MODE_REFUSED`.
 */
export function refuseMode(id: WorkspaceId, mode: Mode, purpose: Purpose): void {
  const rule = refusedBy(mode, purpose);
  if (rule === undefined) return;
  throw new SkepError(
    "failed_precondition",
    "MODE_REFUSED",
    `Workspace ${id} may not be ${mode}, by the rule ${rule.name}: ${rule.because}. ` + `Make it ${rule.mode}.`,
    { details: { workspaceId: id, rule: rule.name, mode: rule.mode } },
  );
}

/**
 * A workspace as hosting takes it: one whose data is to be removed needs a shared host that does
 * it, until that has said that nothing is left.
 */
export function hostedAs({ connector, desired, data }: Pick<WorkspaceRecord, "connector" | "desired" | "data">): {
  readonly mode: Connector["config"]["resources"]["type"];
  readonly desired: WorkspaceRecord["desired"];
} {
  return data === "remove" ? { mode: "shared", desired: "run" } : { mode: modeOf(connector), desired };
}

/** Why a workspace is not changed: what is wrong, where, and what to do. */
export const refuseWorkspace = {
  dataKept: (id: WorkspaceId): SkepError =>
    new SkepError(
      "failed_precondition",
      "WORKSPACE_DATA_KEPT",
      `The data of a workspace ${id} of another tenant was kept as it was dropped; use another id.`,
      { details: { workspaceId: id } },
    ),
  staleVersion: (id: WorkspaceId, given: number, current: number): SkepError =>
    new SkepError(
      "aborted",
      "STALE_VERSION",
      `Workspace ${id} is at resource version ${current}, and this change is based on ${given}; read it again and repeat.`,
      { details: { workspaceId: id, currentVersion: String(current) } },
    ),
  beingDeleted: (id: WorkspaceId): SkepError =>
    new SkepError(
      "failed_precondition",
      "WORKSPACE_DELETED",
      `Workspace ${id} is being deleted; wait until it is gone, then create it anew.`,
      { details: { workspaceId: id } },
    ),
  hiddenPassword: (id: WorkspaceId, where: "database.url" | "files.secret_key"): SkepError => {
    const path = `connector.config.resources.specs.${where}`;
    const [what, problem] =
      where === "database.url"
        ? ["database", "its password is ***, which stands for the recorded one in an address that is the recorded one"]
        : ["file storage", "it is ***, which stands for the recorded one at the recorded url, bucket and access key"];
    return new SkepError(
      "invalid_argument",
      "PASSWORD_HIDDEN",
      `The ${what} of workspace ${id} has the password ***, and its address is not the recorded one: write the password.`,
      { details: { workspaceId: id }, issues: [{ path, problem, advice: "write the password" }] },
    );
  },
  modeFixed: (id: WorkspaceId, mode: string): SkepError =>
    new SkepError(
      "failed_precondition",
      "MODE_FIXED",
      `Workspace ${id} is ${mode}, and an update does not move it, since its messages would be torn apart. Migrate it: skep workspace migrate.`,
      { details: { workspaceId: id } },
    ),
} as const;
