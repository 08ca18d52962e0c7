import type { ScalingPolicy } from "@skep/core/workspace/autoscale.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { ScaledWorkspace } from "@skep/core/workspace/container.ts";
import type { Stale } from "./commit-result.ts";
import type { Mandate } from "./mandate.ts";

/** A workspace that is to run, as its scaling goes by it. */
export interface ScalableWorkspace extends ScaledWorkspace {
  readonly id: WorkspaceId;
  readonly tenantId: string;
  readonly policy: ScalingPolicy;
}

/** One change of how much room a workspace has. */
export interface ScalingStep {
  readonly workspaceId: WorkspaceId;
  readonly from: number;
  readonly to: number;
}

/** How much room scaling gives to workspaces (R111..R118). */
export interface ScalingStore {
  /** Those that are to run and whose policy is switched on, by id. */
  loadScaling(): Promise<readonly ScalableWorkspace[]>;
  /**
   * Writes those whose number is still the one that it was decided on; refused as a whole as
   * `stale` where the lease is not the mandate's any more. Answers the ids that were written.
   */
  commitScaling(
    steps: readonly ScalingStep[],
    mandate: Mandate,
    now: number,
  ): Promise<{ readonly kind: "committed"; readonly written: readonly WorkspaceId[] } | Stale>;
}
