import type { AssignedWorkspace } from "@skep/core/workspace/host-assignment.ts";
import type { MoveFacts } from "@skep/core/workspace/move.ts";

/** What a container goes by as it reads messages. */
export interface ReadLease {
  /**
   * Whether this host owns the workspace at this moment. Asked before each acknowledgement: what
   * is not acknowledged comes again, to whoever owns the workspace then.
   */
  mayRead(): boolean;
  /** Something is worth telling before the next report is due. */
  changed?(): void;
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
  /** How far its half of a move is; absent or `undefined` where it does not move. */
  move?(): MoveFacts | undefined;
  /**
   * Reads no more from the first moment on, and resolves when nothing is left of it; of one that is
   * dropped not what waits at its broker either.
   */
  close(isDropped?: boolean): Promise<void>;
}

/** Makes the containers of workspaces. */
export interface ContainerFactory {
  /**
   * Begins one; resolves once it reads messages, or, where it is to stand by, once its database is
   * open. When it rejects, nothing is left open.
   */
  start(workspace: AssignedWorkspace, lease: ReadLease): Promise<RunningContainer>;
}
