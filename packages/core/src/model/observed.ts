import type { Labels } from "./labels.ts";
import type { VolumeRef } from "./volume.ts";
import type { Health, InstanceId, PortBinding } from "./instance.ts";

/**
 * What a container of ours is for: a container of the spec, or the sandbox that holds a pod's
 * network.
 */
export type ContainerRole = "app" | "sandbox";

/** A container with our labels, as the engine lists it. */
export interface ObservedContainer {
  readonly id: string;
  /** The container's name in the spec; `""` for a sandbox. */
  readonly name: string;
  readonly role: ContainerRole;
  readonly instanceId: InstanceId;
  readonly tenantId: string;
  readonly deploymentId: string;
  readonly release: number;
  readonly epoch: number;
  /** Hash of everything the container was created from; a difference means it must be made anew. */
  readonly specHash: string;
  /** Its labels say that it may run only by a lease. */
  readonly isExclusive: boolean;
  readonly state: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
  readonly imageId: string;
  /** The engine's own health word; `none` where the container has no Docker health check. */
  readonly engineHealth: Health;
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly ports: readonly PortBinding[];
  /**
   * It has a network of its own no more: somebody took it away, and nothing reaches the container.
   */
  readonly isDetached: boolean;
  /** What the engine calls the volumes that it mounts. */
  readonly mounts: readonly string[];
  readonly labels: Labels;
  /** Where its own network namespace can be opened; absent while it does not run. */
  readonly netns?: string | undefined;
}

/** A sandbox that was made ahead and belongs to no instance yet. */
export interface WarmSandbox {
  readonly id: string;
  readonly specHash: string;
  readonly isRunning: boolean;
}

/** A network of ours, one per tenant and node. */
export interface ObservedNetwork {
  readonly id: string;
  readonly name: string;
  readonly tenantId: string;
}

/** A volume of ours; `engineName` is what the engine calls it. */
export interface ObservedVolume extends VolumeRef {
  readonly engineName: string;
  readonly tenantId: string;
}

/** What the agent sees on its engine: what bears our labels, and the images that are present. */
export interface Observed {
  readonly containers: readonly ObservedContainer[];
  /** Absent: none. */
  readonly warm?: readonly WarmSandbox[];
  readonly networks: readonly ObservedNetwork[];
  readonly volumes: readonly ObservedVolume[];
  /** Image references that can be used without a pull. */
  readonly images: readonly string[];
}
