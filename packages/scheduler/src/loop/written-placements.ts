import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { HostingPlan, HostingRecords } from "@skep/core/workspace/hosting-plan.ts";

/** What a leader has placed, to see that the records have lost some of it. */
export interface WrittenPlacements {
  /** A plan was committed. */
  wrote(plan: HostingPlan): void;
  /** Whether the records lack a placement that was committed; says so once. */
  haveLost(records: Pick<HostingRecords, "workspaces">): boolean;
}

/**
 * Makes it for a term. A failover of the database may lose the last commits while the leader stays
 * the same: whoever was given a workspace by one of them may be reading it.
 */
export function createWrittenPlacements(): WrittenPlacements {
  const epochs = new Map<WorkspaceId, number>();
  return {
    wrote: ({ changes, gone }) => {
      for (const one of changes) if (one.kind === "place") epochs.set(one.workspaceId, one.epoch);
      for (const id of gone) epochs.delete(id);
    },
    haveLost: ({ workspaces }) => {
      const isLost = workspaces.some(one => one.epoch < (epochs.get(one.id) ?? 0));
      if (isLost) epochs.clear();
      return isLost;
    },
  };
}
