import type { ReportedStatus } from "@skep/core/model/report.ts";
import type { InstanceId } from "@skep/core/model/instance.ts";
import type { NodeId } from "@skep/core/model/node.ts";

/** A report of an agent: what changed, or with `full` all that it sees. */
export interface StatusReport {
  readonly nodeId: NodeId;
  readonly sessionId: string;
  readonly seq: number;
  readonly full: boolean;
  readonly statuses: readonly ReportedStatus[];
  /** Instances that are stopped and of which nothing is left on the node. */
  readonly gone: readonly { readonly instanceId: InstanceId; readonly epoch: number }[];
}

/** What the report says of each location, once: gone is the last word on it. */
export function latest(report: StatusReport): ReadonlyMap<string, Omit<ReportedStatus, "ports">> {
  const statuses = new Map<string, Omit<ReportedStatus, "ports">>();
  for (const { ports: _, ...status } of report.statuses) statuses.set(`${status.instanceId} ${status.epoch}`, status);
  for (const { instanceId, epoch } of report.gone) {
    const gone = { instanceId, epoch, state: "stopped", health: "none", containers: [], message: "" } as const;
    statuses.set(`${instanceId} ${epoch}`, gone);
  }
  return statuses;
}
