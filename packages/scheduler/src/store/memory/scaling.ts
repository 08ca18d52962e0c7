import { leaseEnded } from "../commit-result.ts";
import { inOrder, type Records } from "../memory-records.ts";
import type { ScalableWorkspace, ScalingStore } from "../scaling-store.ts";
import { leads } from "./plan.ts";

/** Passes a call of the store's on, as the network between would. */
type Pass = <T>(call: string, run: () => T) => Promise<T>;

/** See `ScalingStore`; `databaseNow` is what the lease is judged by. */
export function createScaling(records: Records, pass: Pass, databaseNow: () => number): ScalingStore {
  const { workspaces } = records;
  return {
    loadScaling: () =>
      pass("loadScaling", () =>
        inOrder(workspaces.values(), one => one.id)
          .filter(one => one.desired === "run" && one.scaling.enabled)
          .map(({ id, tenantId, scaling: policy, instances, scaledAt }) => {
            return { id, tenantId, policy, instances, scaledAt, seen: seenOf(records, id) };
          }),
      ),
    commitScaling: (steps, mandate, now) =>
      pass("commitScaling", () => {
        if (!leads(records, mandate, databaseNow())) return leaseEnded(mandate);
        const written = steps.flatMap(({ workspaceId, from, to }) => {
          const workspace = workspaces.get(workspaceId);
          if (workspace?.instances !== from || workspace.desired !== "run") return [];
          workspaces.set(workspaceId, { ...workspace, instances: to, scaledAt: now });
          return [workspaceId];
        });
        return { kind: "committed" as const, written: written.toSorted() };
      }),
  };
}

function seenOf(records: Records, id: string): ScalableWorkspace["seen"] {
  const running = [...records.workspaceLocations.values()].filter(
    one => one.workspaceId === id && one.state === "running",
  );
  const [latest] = running.toSorted((a, b) => b.epoch - a.epoch);
  const host = records.workspaceHosts.get(latest?.hostId ?? "");
  return latest === undefined || host === undefined ? undefined : { counts: latest.counts, reportedAt: host.seenAt };
}
