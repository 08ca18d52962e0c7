import type { WorkspaceId } from "./connector.ts";
import type { Host, HostedWorkspace, HostId, HostingChange, WorkspaceLocation } from "./host.ts";
import type { Migration } from "./migration-state.ts";
import { hasToRun, type MovingLocation } from "./move.ts";
import type { WorkspaceRecord } from "./record.ts";

/** A host as it is recorded; what it is taken to be is for each leader to observe. */
export interface RecordedHost extends Omit<Host, "liveness"> {
  /** Grows with each lease that it was given, by whichever scheduler. */
  readonly renewals: number;
  /** The one workspace that it may run; `undefined` for a host that many share. */
  readonly workspaceId: WorkspaceId | undefined;
}

/** A workspace as far as hosting knows it. */
export interface RecordedWorkspace extends Omit<HostedWorkspace, "desired" | "role"> {
  readonly desired: WorkspaceRecord["desired"];
  readonly tenantId: string;
  readonly mode: "shared" | "standalone";
}

/** The records that hosting is decided on, as one snapshot. */
export interface HostingRecords {
  readonly hosts: readonly RecordedHost[];
  readonly workspaces: readonly RecordedWorkspace[];
  readonly locations: readonly MovingLocation[];
  /** Of workspaces that move at present. */
  readonly moves: readonly Migration[];
}

/** A move as it is to be written. */
export interface MoveChange {
  readonly move: Migration;
  /** The step that is recorded, which it was decided on. */
  readonly fromStep: number;
}

/** What a leader writes, and what it goes by. */
export interface HostingPlan {
  readonly changes: readonly HostingChange[];
  /**
   * Hosts that are held to be down, each with its number of leases as the leader saw it. A host
   * that got another one since may be reading.
   */
  readonly silenced: ReadonlyMap<HostId, number>;
  /** Records of deleted workspaces that no host has: they go. */
  readonly gone: readonly WorkspaceId[];
  /** Records of silenced hosts that have nothing: they go. */
  readonly lost: readonly HostId[];
  /**
   * Where moves are from now on; one that is done gives its workspace its new mode. None where it
   * is absent.
   */
  readonly moves?: readonly MoveChange[];
}

/** Whether there is nothing to write. */
export function isEmptyPlan({ changes, gone, lost, moves = [] }: HostingPlan): boolean {
  return changes.length + gone.length + lost.length + moves.length === 0;
}

/** What a plan is compared with as it is written. */
export interface HostingBasis {
  readonly hosts: readonly Pick<RecordedHost, "id" | "renewals">[];
  readonly workspaces: readonly Pick<RecordedWorkspace, "id" | "desired" | "epoch">[];
  readonly locations: readonly WorkspaceLocation[];
  readonly moves: readonly Pick<Migration, "workspaceId" | "step" | "stage">[];
}

/**
 * Why a plan may not be written any more: something that it was decided on has changed. The store
 * asks while nobody else can write; `undefined` where it may be written.
 */
export function whyHostingStale(basis: HostingBasis, plan: HostingPlan): string | undefined {
  const hosts = new Map(basis.hosts.map(one => [one.id, one]));
  const workspaces = new Map(basis.workspaces.map(one => [one.id, one]));
  const left = new Map(basis.locations.map(one => [keyOf(one.workspaceId, one.epoch), one]));
  const isSilenced = (id: HostId): boolean => plan.silenced.get(id) === (hosts.get(id)?.renewals ?? NaN);

  // What ends first, so that what is placed in its stead finds it gone.
  for (const change of plan.changes) {
    if (change.kind !== "forget" && change.kind !== "stop") continue;
    const key = keyOf(change.workspaceId, change.epoch);
    const location = left.get(key);
    if (location === undefined) return `${key} is not placed any more`;
    if (change.kind === "stop") continue;
    if (location.role !== "standby" && location.state !== "stopped" && !isSilenced(location.hostId))
      return `host ${location.hostId} has not let go of ${change.workspaceId} and got another lease meanwhile`;
    left.delete(key);
  }
  const because =
    whyNotPlaced(plan.changes, workspaces, { hosts, moves: movesOf(basis) }, [...left.values()]) ??
    whyNotMoved(basis, plan);
  if (because !== undefined) return because;
  const located = new Set([...left.values()].map(one => one.workspaceId));
  const kept = plan.gone.find(id => workspaces.get(id)?.desired !== "deleted" || located.has(id));
  if (kept !== undefined) return `workspace ${kept} is wanted, or has a host`;
  const alive = plan.lost.find(id => !isSilenced(id) || [...left.values()].some(one => one.hostId === id));
  return alive === undefined ? undefined : `host ${alive} has a workspace, or got another lease meanwhile`;
}

/** A workspace has one owner; of one that moves, a host has one half at most. */
function whyNotPlaced(
  changes: readonly HostingChange[],
  workspaces: ReadonlyMap<WorkspaceId, HostingBasis["workspaces"][number]>,
  { hosts, moves }: { readonly hosts: ReadonlyMap<HostId, unknown>; readonly moves: ReturnType<typeof movesOf> },
  left: readonly WorkspaceLocation[],
): string | undefined {
  const owned = new Set(left.flatMap(one => (one.role === "standby" ? [] : [one.workspaceId])));
  const halves = new Set(left.map(one => `${one.workspaceId} ${one.hostId}`));
  const epochs = new Map<WorkspaceId, number>();
  for (const change of changes) {
    if (change.kind !== "place" && change.kind !== "wait") continue;
    const workspace = workspaces.get(change.workspaceId);
    if (workspace === undefined) return `workspace ${change.workspaceId} is gone`;
    if (change.kind === "wait") continue;
    const { id, desired, epoch } = workspace;
    if (!hasToRun(desired, moves.get(id))) return `workspace ${id} is not wanted any more`;
    const isStandby = change.role === "standby";
    if (!isStandby && owned.has(id)) return `workspace ${id} still has an owner`;
    if ((epochs.get(id) ?? epoch) !== change.epoch - 1) return `workspace ${id} was placed meanwhile`;
    if (!hosts.has(change.hostId)) return `host ${change.hostId} is gone`;
    if (halves.has(`${id} ${change.hostId}`)) return `host ${change.hostId} has a half of workspace ${id} already`;
    epochs.set(id, change.epoch);
    halves.add(`${id} ${change.hostId}`);
    if (!isStandby) owned.add(id);
  }
  return undefined;
}

function movesOf({ moves }: HostingBasis): ReadonlyMap<WorkspaceId, HostingBasis["moves"][number]> {
  return new Map(moves.map(one => [one.workspaceId, one]));
}

function whyNotMoved(basis: HostingBasis, { moves = [] }: HostingPlan): string | undefined {
  const known = movesOf(basis);
  const other = moves.find(({ move, fromStep }) => known.get(move.workspaceId)?.step !== fromStep);
  return other === undefined ? undefined : `workspace ${other.move.workspaceId} moved on meanwhile`;
}

function keyOf(workspaceId: WorkspaceId, epoch: number): string {
  return `${workspaceId} at epoch ${epoch}`;
}
