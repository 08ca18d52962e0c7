import type { AssignedWorkspace } from "@skep/core/workspace/host-assignment.ts";
import type { LoadedRules } from "./host-api.ts";

/** What a container goes by as it reads messages. */
export interface ReadLease {
  /**
   * Whether this host owns the workspace at this moment. Asked before each acknowledgement: what
   * is not acknowledged comes again, to whoever owns the workspace then.
   */
  mayRead(): boolean;
}

/** What binds a container to its host. */
export interface HostTies extends ReadLease {
  /** The latest rules and schemas of the workspace, as the schedulers have them. */
  loadRules(): Promise<LoadedRules>;
}

/** A workspace that runs on this host. */
export interface RunningContainer {
  /** Takes what is wanted now: a changed connector, other rules, another pool. */
  update(workspace: AssignedWorkspace): Promise<void>;
  isHealthy(): boolean;
  /** What failed last; empty where nothing did. Never holds a secret. */
  lastError(): string;
  /** Numbers for statistics, by name. */
  counts(): Readonly<Record<string, number>>;
  /** Reads no more from the first moment on, and resolves when nothing is left of it. */
  close(): Promise<void>;
}

/** Makes the containers of workspaces. */
export interface ContainerFactory {
  /** Begins one; resolves once it reads messages. When it rejects, nothing is left open. */
  start(workspace: AssignedWorkspace, ties: HostTies): Promise<RunningContainer>;
}
