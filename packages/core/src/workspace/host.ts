import type { WorkspaceId } from "./connector.ts";

/** Id of a host: of a replica of the shared hosts' service, new with each start of its process. */
export type HostId = string;

/** What a host does at present, by its own reports. */
export interface HostLoad {
  readonly connections: number;
  readonly messagesPerSecond: number;
  /** Share of its memory that is used, 0 to 1. */
  readonly memoryShare: number;
}

/** A process that runs shared workspaces. */
export interface Host {
  readonly id: HostId;
  readonly nodeId: string;
  /**
   * `ready`: it reports. `suspect`: it is silent and gets nothing new. `down`: it was silent for
   * longer than it may read messages without the scheduler's word, so it surely reads none.
   */
  readonly liveness: "ready" | "suspect" | "down";
  /** `drain`: it gives everything away, as its node is drained or it was told to end. */
  readonly availability: "active" | "drain";
  readonly load: HostLoad;
  /** Most workspaces that it may run. */
  readonly most: number;
  /** Number of the latest placement on it; 0 for never. Round-robin rotates by it. */
  readonly lastPlaced: number;
  /** When its latest report was recorded, ms since the epoch. It is for people only. */
  readonly seenAt: number;
}

/** How a host is chosen among those that have room. */
export type HostStrategy = "least-loaded" | "round-robin";

/** A workspace, as far as it needs a host. */
export interface HostedWorkspace {
  readonly id: WorkspaceId;
  /** `standby`: the half of one that moves which reads nothing; absent for the one that reads. */
  readonly role?: "standby";
  /** `run` it, or let go of it. */
  readonly desired: "run" | "stopped";
  readonly strategy: HostStrategy;
  /** How often it was placed: the number of its latest placement. */
  readonly epoch: number;
  /** Why it has no host, as it was last said; empty where it has one. */
  readonly waiting: string;
}

/** Where a workspace runs, or ran until a moment ago. */
export interface WorkspaceLocation {
  readonly workspaceId: WorkspaceId;
  readonly hostId: HostId;
  readonly epoch: number;
  /** As in `HostedWorkspace`. */
  readonly role?: "standby";
  /** `run`: it owns the workspace. `stop`: it is to let go; nobody else may begin before that. */
  readonly desired: "run" | "stop";
  /** What its host says: whether it reads messages, or holds nothing of the workspace any more. */
  readonly state: "assigned" | "running" | "stopped";
}

/** All that hosting is decided on. */
export interface HostingWorld {
  readonly hosts: readonly Host[];
  readonly workspaces: readonly HostedWorkspace[];
  readonly locations: readonly WorkspaceLocation[];
  /** Number of the next placement of all. */
  readonly placements: number;
}

/** One change of the records, to be committed by comparing epochs. */
export type HostingChange =
  | {
      readonly kind: "place";
      readonly workspaceId: WorkspaceId;
      readonly hostId: HostId;
      readonly epoch: number;
      /** As in `HostedWorkspace`. */
      readonly role?: "standby";
      readonly placement: number;
      readonly because: string;
    }
  /** Its host is to let go of it. */
  | { readonly kind: "stop"; readonly workspaceId: WorkspaceId; readonly epoch: number; readonly because: string }
  /** Nothing of it is left: the row goes. */
  | { readonly kind: "forget"; readonly workspaceId: WorkspaceId; readonly epoch: number; readonly because: string }
  /** No host can take it. */
  | { readonly kind: "wait"; readonly workspaceId: WorkspaceId; readonly because: string };
