import type { HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { HostAnswer, HostReport } from "@skep/core/workspace/host-report.ts";
import type { HostId } from "@skep/core/workspace/host.ts";
import type { HostingPlan, HostingRecords, RecordedHost } from "@skep/core/workspace/hosting-plan.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { MigrationTimes } from "@skep/core/workspace/migration-state.ts";
import type { SeenContainer } from "@skep/core/workspace/container.ts";
import type { WorkspaceReach } from "@skep/core/workspace/reach.ts";
import type { Stale } from "./commit-result.ts";
import type { Mandate } from "./mandate.ts";

/** What became of a report. */
export interface SavedHostReport {
  readonly answer: HostAnswer;
  /** Whether the leader has reason to look. */
  readonly changed: boolean;
}

/** How often a host was given a lease. */
export type HostLeases = Pick<RecordedHost, "id" | "renewals">;

/** What orders of moves depend on beside the records. */
export interface MoveSettings {
  /** As for a fleet where it is absent. */
  readonly times?: MigrationTimes | undefined;
  /** See core's `peerFor`. */
  readonly edgePort?: number | undefined;
}

/** Who runs which workspace. */
export interface HostingStore {
  /** One snapshot of hosts, workspaces and locations. */
  loadHosting(): Promise<HostingRecords>;
  /** How often each host was given a lease; asked far more often than the whole. */
  countHostLeases(): Promise<readonly HostLeases[]>;
  /**
   * Writes the whole plan in one transaction, or nothing: refused as `stale` when the lease is not
   * the mandate's any more, or as core's `whyHostingStale` says. Raises the revision of each host
   * that it touches.
   */
  commitHosting(plan: HostingPlan, mandate: Mandate, now: number): Promise<{ readonly kind: "committed" } | Stale>;
  /**
   * Judges a report by core's `takeReport`, and counts the lease that its answer is before it
   * answers. A commit that ends what the answer grants comes before or after it, and never between.
   */
  saveHostReport(report: HostReport, holdMs: number, now: number): Promise<SavedHostReport>;
  /** What the host is to run, with the current term; `undefined` for a host without a record. */
  loadHostAssignment(hostId: HostId, moving?: MoveSettings): Promise<HostAssignment | undefined>;
  /**
   * Where workspaces are; one that no host has is left out. Of several placements the one that
   * reads, and the latest.
   */
  locateWorkspaces(ids: readonly WorkspaceId[]): Promise<ReadonlyMap<WorkspaceId, SeenContainer>>;
  /** Where the host is that owns a workspace; `undefined` where none does. */
  reachWorkspace(id: WorkspaceId): Promise<WorkspaceReach | undefined>;
  /** What the tokens of hosts are signed with. It stays the same for the life of the database. */
  loadHostKey(): Promise<string>;
}
