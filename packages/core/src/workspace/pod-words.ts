import type { WorkspaceId } from "./connector.ts";
import type { HostingChange } from "./host.ts";
import type { HostingPlan, HostingRecords } from "./hosting-plan.ts";

/**
 * The plan with what is known of pods: a workspace with a host of its own waits for what its pod
 * waits for, and one that is dropped with its data stays until its pod and volumes have left. What
 * is said already is not said again.
 */
export function withPodWords(
  plan: HostingPlan,
  { workspaces }: Pick<HostingRecords, "workspaces">,
  pods: ReadonlyMap<WorkspaceId, string>,
  leaving: ReadonlySet<WorkspaceId> = new Set(),
): HostingPlan {
  const said = new Map(workspaces.map(one => [one.id, one.waiting]));
  const changes = plan.changes.flatMap((change): readonly HostingChange[] => {
    if (change.kind !== "wait") return [change];
    const because = pods.get(change.workspaceId) ?? change.because;
    return because === said.get(change.workspaceId) ? [] : [{ ...change, because }];
  });
  return { ...plan, changes, gone: plan.gone.filter(id => !leaving.has(id)) };
}
