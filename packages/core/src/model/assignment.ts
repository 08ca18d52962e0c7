import type { DeploymentSpec } from "./deployment.ts";
import type { InstanceId, PortBinding } from "./instance.ts";
import type { Availability, NodeId } from "./node.ts";
import type { TenantId } from "./tenant.ts";
import type { ReportedVolume, VolumeRef } from "./volume.ts";

/** One instance that a node is told about. */
export interface AssignedInstance {
  readonly instanceId: InstanceId;
  readonly tenantId: TenantId;
  readonly epoch: number;
  readonly release: number;
  readonly slot: number;
  /**
   * `run` it (a retiring one still runs), or `stop` it: end it, remove it, and report it gone.
   * `keep` it where it is over: what is left of it stays with its logs, and none of it runs again.
   */
  readonly desired: "run" | "keep" | "stop";
  readonly ports: readonly PortBinding[];
  readonly spec: DeploymentSpec;
  /**
   * The volumes that its containers mount, with the serials that tell them from earlier ones of
   * these names.
   */
  readonly volumes: readonly VolumeRef[];
}

/** A volume of the node whose data is to be removed. */
export type VolumeRemoval = Omit<ReportedVolume, "inUse">;

/**
 * Everything one node is told to run. Nothing is removed because it is missing here: what must go
 * is named with `stop`, or in `removals`; an empty or wrong assignment therefore kills nothing.
 */
export interface Assignment {
  readonly nodeId: NodeId;
  /** The incarnation of the records that it was made from; an agent with another one refuses it. */
  readonly incarnation: string;
  /**
   * Incarnations that a person confirmed to be replaced: an agent that holds one of them takes it.
   */
  readonly succeeds: readonly string[];
  /** Term of the leader that made it; an agent refuses a lower one. */
  readonly term: number;
  /** Grows with every change for this node; an agent refuses a lower one, in any term. */
  readonly revision: number;
  /**
   * Stamps of the latest revisions, this one's last. An agent refuses what comes from records that
   * gave the revision it holds another stamp: they are a copy that went another way. Empty where
   * its sender knows none.
   */
  readonly stamps: readonly number[];
  /** Shows that a scheduler of these records made it; absent where none signed it. */
  readonly receipt?: string;
  /**
   * What Swarm's operator asked of the node: a drained agent stays until its containers are gone.
   */
  readonly availability: Availability;
  readonly instances: readonly AssignedInstance[];
  /** Strangers that bear our labels but that no record explains: remove them. */
  readonly removals: readonly Removal[];
  /** Volumes that a person or the end of their tenant gave up. */
  readonly volumeRemovals: readonly VolumeRemoval[];
}

/** A container group that must be removed: all of this instance at this epoch. */
export interface Removal {
  readonly instanceId: InstanceId;
  readonly epoch: number;
  readonly because: string;
}

/** A spec beyond this size is only named in an assignment: its agent fetches it. */
export const LARGE_SPEC_BYTES = 8 * 1024;

/**
 * What the large specs of one node may take together: its agent holds them in memory and on disk.
 * An instance that would bring more is placed elsewhere.
 */
export const SPEC_BUDGET_BYTES = 16 * 1024 * 1024;
