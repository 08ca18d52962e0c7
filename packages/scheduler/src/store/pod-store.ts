import type { NodeId } from "@skep/core/model/node.ts";
import type { BrokerAddress } from "@skep/core/workspace/broker.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { PodRecords } from "@skep/core/workspace/plan-pods.ts";

/** Where a port of a pod is reached. */
export interface PodPort {
  /** Whether there is a pod at all. */
  readonly isThere: boolean;
  /** Where it runs; empty while it does not. */
  readonly nodeId: NodeId;
  /** At that node; `undefined` while it does not run. */
  readonly address: BrokerAddress | undefined;
}

/** The pods of standalone workspaces; they are written as any deployment is. */
export interface PodStore {
  /** One snapshot of all pods, and of the workspaces that need one or have one. */
  loadPods(): Promise<PodRecords>;
  /** Records what is wrong with the pods of these workspaces; an empty text for nothing. */
  savePodProblems(problems: ReadonlyMap<WorkspaceId, string>): Promise<void>;
  /** Where a port of a workspace's pod is reached. */
  locatePod(workspaceId: WorkspaceId, containerPort: number): Promise<PodPort>;
}
