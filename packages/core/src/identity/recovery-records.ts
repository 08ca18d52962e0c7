import type { Assignment, Removal } from "../model/assignment.ts";
import type { Deployment, DeploymentId, Release } from "../model/deployment.ts";
import type { Instance, InstanceId, Location } from "../model/instance.ts";
import type { NodeId } from "../model/node.ts";
import type { Route } from "../model/routing.ts";
import type { Tenant } from "../model/tenant.ts";
import type { ReportedVolume, Volume } from "../model/volume.ts";
import type { World } from "../world/world.ts";
import type { PlatformIdentity } from "./platform-identity.ts";
import type { Serials } from "./serials.ts";
import type { Seen } from "./strangers.ts";

/** What one agent answered when it was asked what it holds. */
export interface HeldNode {
  readonly nodeId: NodeId;
  readonly hostname: string;
  readonly assignment: Assignment | undefined;
  readonly epochs: Readonly<Record<InstanceId, number>>;
  readonly present: readonly {
    readonly status: Seen;
    readonly tenantId: string;
    readonly deploymentId: DeploymentId;
    readonly release: number;
  }[];
  /** All volumes of ours on its engine. */
  readonly volumes: readonly ReportedVolume[];
}

/** What a recovery is planned from. */
export interface RecoveryInput {
  readonly world: World;
  readonly identity: PlatformIdentity;
  readonly serials: ReadonlyMap<DeploymentId, Serials>;
  readonly routes: readonly Route[];
  /** The agents that answered. */
  readonly nodes: readonly HeldNode[];
  /** The incarnation that the database is to have. */
  readonly incarnation: string;
  readonly now: number;
}

/** What becomes of one thing that runs. */
export interface RecoveryItem extends Removal {
  readonly nodeId: NodeId;
  readonly action: "keep" | "adopt" | "remove" | "leave";
}

/** What becomes of the record of one volume, where it changes. */
export interface RecoveredVolume extends Pick<Volume, "nodeId" | "owner" | "name" | "serial"> {
  /** `drop` takes the record away and no data: the node has none under that serial. */
  readonly action: "adopt" | "drop";
  readonly because: string;
}

/** What a recovery makes of the records of volumes. */
export interface VolumeRecovery {
  readonly items: readonly RecoveredVolume[];
  /** As they are to be, in place of a record of the same key. */
  readonly written: readonly Volume[];
  readonly dropped: readonly Volume[];
}

/** Everything that a recovery writes, as values. */
export interface Recovery {
  readonly identity: Pick<PlatformIdentity, "incarnation" | "succeeds" | "serialFloor">;
  readonly items: readonly RecoveryItem[];
  readonly tenants: readonly Tenant[];
  /** As they are to be, with new ones among them. */
  readonly deployments: readonly Deployment[];
  readonly releases: readonly Release[];
  /** Of the deployments whose release becomes another one. */
  readonly routes: readonly Route[];
  readonly instances: readonly Instance[];
  readonly locations: readonly Location[];
  /** Rows of what does not run where they say, and whose place or port something adopted has. */
  readonly dropped: readonly Pick<Location, "instanceId" | "epoch">[];
  readonly volumes: VolumeRecovery;
  /** The count of placements, from which volumes get their serials: beyond all that is known. */
  readonly placements: number;
  readonly serials: ReadonlyMap<DeploymentId, Serials>;
}
